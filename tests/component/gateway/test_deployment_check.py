"""Asking before a workflow is registered, through the gateway."""

from tests.component.gateway.world import World

DOCUMENT = {"document": {"dsl": "1.0.3", "namespace": "shop", "name": "order", "version": "1.1.0"}}
MOVED = {
    "kind": "moved",
    "place": "/do/1/a",
    "was": "/do/0/a",
    "members": [],
    "breaking": True,
}


async def test_the_answer_says_whom_a_document_concerns(world: World) -> None:
    told = await world.ask("POST", "/v1/workflows/check", DOCUMENT)

    assert told.status == 200
    assert told.json == {
        "workflow": {"namespace": "shop", "name": "order", "version": "1.1.0"},
        "digest": "sha256:new",
        "published": "no",
        "newest": "1.0.0",
        "becomes_newest": True,
        "concern": "breaking",
        "schedule": "kept",
        "versions": [
            {
                "version": "1.0.0",
                "digest": "sha256:old",
                "concern": "breaking",
                "open": 2,
                "statuses": {"waiting": 2},
                "examined": 2,
                "tasks": [
                    {"task": "/do/0/a", "executions": 2, "first": ["e1"], "difference": MOVED}
                ],
                "differences": [MOVED],
            }
        ],
    }


async def test_a_document_travels_as_it_is_and_broken_text_goes_no_further(world: World) -> None:
    yaml = {"Content-Type": "text/yaml"}
    path = "/v1/workflows/check"
    fine = await world.ask("POST", path, data=b"document: {}\n", headers=yaml)
    broken = await world.ask("POST", path, data=b"\xff", headers=yaml)

    (request,) = world.workflows.behaviour.named("CheckDefinition")
    assert (fine.status, broken.status) == (200, 400)
    assert (request.document, request.media_type) == (b"document: {}\n", "application/yaml")
