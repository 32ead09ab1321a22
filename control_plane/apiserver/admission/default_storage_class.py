"""DefaultStorageClass: a claim that names no class gets the default one; "" asks for none."""

from control_plane.api.resources import PERSISTENTVOLUMECLAIMS, STORAGECLASSES
from control_plane.apiserver.admission.default_classes import DefaultClass


class DefaultStorageClass(DefaultClass):
    """Sets spec.storageClassName of new claims."""

    concerns = (PERSISTENTVOLUMECLAIMS,)
    resource, classes = PERSISTENTVOLUMECLAIMS, STORAGECLASSES
    field = "storageClassName"
    annotation = "volume.beta.kubernetes.io/storage-class"
    defaults = (
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    )
