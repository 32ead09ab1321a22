"""DefaultIngressClass: an Ingress that names no class gets the default one."""

from control_plane.api.resources import INGRESSCLASSES, INGRESSES
from control_plane.apiserver.admission.default_classes import DefaultClass


class DefaultIngressClass(DefaultClass):
    """Sets spec.ingressClassName of new ingresses."""

    concerns = (INGRESSES,)
    resource, classes = INGRESSES, INGRESSCLASSES
    field = "ingressClassName"
    annotation = "kubernetes.io/ingress.class"
    defaults = ("ingressclass.kubernetes.io/is-default-class",)
