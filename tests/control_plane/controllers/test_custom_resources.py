"""Custom resources and the controllers: they own and are owned, and go with their namespace."""

import asyncio

from control_plane.api.errors import NotFound
from control_plane.api.objects import Object, find_condition
from control_plane.api.resources import CONFIGMAPS, CUSTOMRESOURCEDEFINITIONS, NAMESPACES, Resource
from tests.control_plane.apiserver.custom_stage import definition
from tests.control_plane.controllers.stage import SECONDS, Stage
from tests.control_plane.controllers.test_garbage_collection import reference


async def served(stage: Stage) -> Resource:
    """A custom resource, from the moment that it is established."""
    obj = definition()
    name, group = obj["metadata"]["name"], obj["spec"]["group"]
    await stage.client.create(CUSTOMRESOURCEDEFINITIONS, obj)
    async with asyncio.timeout(SECONDS):
        while True:
            found = await stage.client.get(CUSTOMRESOURCEDEFINITIONS, name)
            if (find_condition(found, "Established") or {}).get("status") == "True":
                return Resource(group, "v1", "Foo", "foos", True)
            await asyncio.sleep(0.1)


async def gone(stage: Stage, resource: Resource, name: str, namespace: str | None = None) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await stage.client.get(resource, name, namespace)
            except NotFound:
                return
            await asyncio.sleep(0.1)


async def test_what_a_custom_resource_owns_goes_with_it(stage: Stage) -> None:
    await stage.namespace("owned")
    foos = await served(stage)
    meta: Object = {"name": "owner", "namespace": "owned"}
    owner = await stage.client.create(
        foos, {"apiVersion": foos.api_version, "kind": "Foo", "metadata": meta}
    )
    meta = {"name": "child", "namespace": "owned", "ownerReferences": [reference(owner)]}
    await stage.client.create(
        CONFIGMAPS, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    )

    await stage.client.delete(foos, "owner", "owned")

    await gone(stage, CONFIGMAPS, "child", "owned")


async def test_a_namespace_goes_with_its_custom_resources(stage: Stage) -> None:
    await stage.namespace("custom-doomed")
    foos = await served(stage)
    meta = {"name": "a", "namespace": "custom-doomed"}
    await stage.client.create(
        foos, {"apiVersion": foos.api_version, "kind": "Foo", "metadata": meta}
    )

    await stage.client.delete(NAMESPACES, "custom-doomed")

    await gone(stage, NAMESPACES, "custom-doomed")
    await gone(stage, foos, "a", "custom-doomed")
