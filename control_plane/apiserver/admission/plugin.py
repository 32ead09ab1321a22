"""The base of admission plugins: one that neither changes nor refuses anything."""

from typing import ClassVar

from control_plane.api.resources import Resource
from control_plane.apiserver.admission.review import Review
from control_plane.apiserver.admission_configuration.settings import AdmissionSettings
from control_plane.apiserver.auth.authz import Authorizer
from control_plane.apiserver.storage.collections import Collections


class Plugin:
    """An admission plugin; override `admit`, `finish`, `check`, or several of them.

    `concerns` are the resources that it is asked about; none means all of them.

    What is looked up for many requests comes from what a plugin has made of the watch caches (see
    storage.follower), not from the objects themselves.
    """

    concerns: ClassVar[tuple[Resource, ...]] = ()

    def __init__(self, collections: Collections, authorizer: Authorizer) -> None:
        """Look other objects up in `collections`, and ask `authorizer` what the user may."""
        self.collections = collections
        self.authorizer = authorizer

    def configure(self, settings: AdmissionSettings) -> None:
        """Take what the configuration file says; called once, before anything is asked."""

    async def admit(self, review: Review) -> None:
        """Change `review.obj` in place, or raise."""

    async def finish(self, review: Review) -> None:
        """Change `review.obj` when policies and webhooks have, before it is validated, or raise."""

    async def check(self, review: Review) -> None:
        """Raise if `review.obj` must not be stored."""
