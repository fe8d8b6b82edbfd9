"""Scenarios in the API."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from controller.actions.archives import (
    Imported,
    export_archive,
    import_archive,
    import_document,
    is_archive,
    new_prompts,
    prompt_at_fault,
    read_archive,
)
from controller.actions.fields import invalid
from controller.actions.prompts import title_from_file
from controller.actions.scenarios import (
    KnownPrompts,
    create_scenario,
    delete_scenario,
    edit_draft,
    publish,
    publish_again,
    rename_scenario,
    save_draft,
    undo_draft,
    validate_document,
    validate_draft,
)
from controller.bus import PromptsChanged, ScenarioPublished
from controller.errors import NotFound
from controller.prompts.workshop import Workshop
from controller.storage import Session
from controller.storage.scenarios import (
    ScenarioVersion,
    StoredScenario,
    VersionSummary,
    find_version,
    get_scenario,
    list_scenarios,
    list_versions,
)
from ivr.editing import Edit
from web.forms import read_json
from web.rendering import ModelResponse
from web.scenario_models import (
    DocumentToCheck,
    DraftChange,
    DraftEdited,
    DraftEdits,
    DraftSaved,
    ImportDone,
    NameChange,
    NewScenario,
    PublishRequest,
    RevisionToUndo,
    ScenarioList,
    operation_list,
    scenario_item,
    scenario_model,
    validation,
    version_item,
    version_model,
)
from web.security import acting_user
from web.services import services, workshop
from web.uploads import Upload, disk_errors, read_upload
from web.views.places import number_id


async def get_operations(request: Request) -> Response:
    """What a node of a scenario can do."""
    return ModelResponse(operation_list())


async def get_scenarios(request: Request) -> Response:
    """All scenarios."""
    found = await services(request).database.read(list_scenarios)
    return ModelResponse(ScenarioList(scenarios=[scenario_item(summary) for summary in found]))


async def get_one_scenario(request: Request) -> Response:
    """A scenario with its draft and versions."""
    scenario, versions = await services(request).database.read(_load, number_id(request))
    return ModelResponse(scenario_model(scenario, versions))


async def get_scenario_version(request: Request) -> Response:
    """A published version."""
    found = await services(request).database.read(_load_version, number_id(request), number_id(request, "number"))
    return ModelResponse(version_model(found))


async def post_scenario(request: Request) -> Response:
    """Create a scenario."""
    return ModelResponse(scenario_model(await create(request, await read_json(request, NewScenario)), ()), 201)


async def put_draft(request: Request) -> Response:
    """Save a draft."""
    given, body = services(request), await read_json(request, DraftChange)
    id, by, now = number_id(request), acting_user(request), given.clock.now()
    revision = await given.database.run(save_draft, id, body.document, body.revision, acting_user=by, at=now)
    return ModelResponse(DraftSaved(revision=revision))


async def post_validate_draft(request: Request) -> Response:
    """What is wrong with a stored draft."""
    given = services(request)
    return ModelResponse(validation(await given.database.read(validate_draft, number_id(request), given.prompts())))


async def post_validate_document(request: Request) -> Response:
    """What is wrong with a document that is not stored."""
    given, body = services(request), await read_json(request, DocumentToCheck)
    return ModelResponse(validation(await given.database.read(validate_document, body.document, given.prompts())))


async def post_publish(request: Request) -> Response:
    """Make the draft the version that new calls run."""
    body = await read_json(request, PublishRequest, if_empty=PublishRequest())
    return ModelResponse(version_item(await publish_revision(request, body.revision)))


async def post_publish_again(request: Request) -> Response:
    """Publish what an older version holds."""
    return ModelResponse(version_item(await roll_back(request)))


async def post_edits(request: Request) -> Response:
    """Change the draft step by step."""
    body = await read_json(request, DraftEdits)
    revision = await edit(request, body.edits, body.revision)
    stored = await services(request).database.read(get_scenario, number_id(request))
    return ModelResponse(DraftEdited(revision=revision, draft=stored.draft))


async def post_undo(request: Request) -> Response:
    """Go back to the draft before."""
    body = await read_json(request, RevisionToUndo)
    return ModelResponse(DraftSaved(revision=await undo(request, body.revision)))


async def patch_scenario(request: Request) -> Response:
    """Another name."""
    await rename(request, (await read_json(request, NameChange)).name)
    return Response(status_code=204)


async def delete_one_scenario(request: Request) -> Response:
    """Take a scenario away."""
    await remove(request)
    return Response(status_code=204)


async def get_archive(request: Request) -> Response:
    """The draft with everything it names."""
    given, id = services(request), number_id(request)
    name, content = await given.database.read(_export, id, workshop(request), given.prompts())
    header = f"attachment; filename*=UTF-8''{quote(name, safe='')}.zip"
    return Response(content, media_type="application/zip", headers={"Content-Disposition": header})


async def post_import(request: Request) -> Response:
    """Take in an archive, or a document alone."""
    async with read_upload(request) as upload:
        return ModelResponse(await take_in(request, upload), 201)


async def create(request: Request, new: NewScenario) -> StoredScenario:
    """A new scenario. Raises as `create_scenario`."""
    given = services(request)
    return await given.database.run(_create, new, acting_user(request), given.clock.now())


async def publish_revision(request: Request, revision: int | None) -> ScenarioVersion:
    """Publish the draft of the address. Raises as `publish`."""
    given, id = services(request), number_id(request)
    by, now = acting_user(request), given.clock.now()
    version = await given.database.run(publish, id, given.prompts(), revision=revision, acting_user=by, at=now)
    given.bus.send(ScenarioPublished(id))
    return version


async def roll_back(request: Request) -> ScenarioVersion:
    """Publish the version of the address again. Raises as `publish_again`."""
    given, id, number = services(request), number_id(request), number_id(request, "number")
    by, now = acting_user(request), given.clock.now()
    version = await given.database.run(publish_again, id, number, given.prompts(), acting_user=by, at=now)
    given.bus.send(ScenarioPublished(id))
    return version


async def edit(request: Request, edits: Sequence[Edit], revision: int) -> int:
    """Change the draft that has `revision`; the new revision. Raises as `edit_draft`."""
    given = services(request)
    by, now = acting_user(request), given.clock.now()
    return await given.database.run(edit_draft, number_id(request), edits, revision, acting_user=by, at=now)


async def undo(request: Request, revision: int) -> int:
    """Go back to the draft before the one with `revision`. Raises as `undo_draft`."""
    given = services(request)
    by, now = acting_user(request), given.clock.now()
    return await given.database.run(undo_draft, number_id(request), revision, acting_user=by, at=now)


async def rename(request: Request, name: str) -> None:
    """Give the scenario another name. Raises as `rename_scenario`."""
    given = services(request)
    await given.database.run(rename_scenario, number_id(request), name, acting_user=acting_user(request), at=given.clock.now())


async def remove(request: Request) -> None:
    """Take the scenario away. Raises as `delete_scenario`."""
    given, id = services(request), number_id(request)
    await given.database.run(delete_scenario, id, acting_user=acting_user(request), at=given.clock.now())
    given.bus.send(ScenarioPublished(id))


async def take_in(request: Request, upload: Upload) -> ImportDone:
    """What was sent: an archive, or a document alone.

    Raises InvalidInput, Refused as `import_archive`; WebError when the disk does not take the prompts.
    """
    publishing = upload.fields.get("publish", "false").lower()
    if publishing not in ("true", "false"):
        raise invalid("publish", "write true or false")
    content = await asyncio.to_thread(upload.file.read)
    if is_archive(content):
        return await _take_in_archive(request, content, upload.fields.get("name"), publishing == "true")
    given, name = services(request), upload.fields.get("name") or title_from_file(upload.file_name)
    by, now = acting_user(request), given.clock.now()
    imported = await given.database.run(
        import_document, content, name, given.prompts(), publishing=publishing == "true", acting_user=by, at=now
    )
    return _import_done(request, imported)


async def _take_in_archive(request: Request, content: bytes, name: str | None, publishing: bool) -> ImportDone:
    given, maker = services(request), workshop(request)
    archive = await asyncio.to_thread(read_archive, io.BytesIO(content))
    sounds = {}
    with disk_errors():
        async with AsyncExitStack() as prepared:
            for prompt in await given.database.read(new_prompts, archive):
                with prompt_at_fault(archive, prompt):
                    original = io.BytesIO(archive.originals[prompt.key])
                    sounds[prompt.key] = await prepared.enter_async_context(maker.prepared(original))
            imported = await given.database.run(
                import_archive,
                maker.folder,
                archive,
                sounds,
                given.settings.most_uploaded_prompts,
                given.prompts(),
                name=name,
                publishing=publishing,
                acting_user=acting_user(request),
                at=given.clock.now(),
            )
    given.bus.send(PromptsChanged())
    await given.directory_changed()
    return _import_done(request, imported)


def _import_done(request: Request, imported: Imported) -> ImportDone:
    for version in imported.published:
        services(request).bus.send(ScenarioPublished(version.scenario_id))
    return ImportDone(
        id=imported.scenario.id,
        name=imported.scenario.name,
        added=list(imported.added),
        kept=list(imported.kept),
        published=bool(imported.published),
    )


def _export(session: Session, id: int, maker: Workshop, known: KnownPrompts) -> tuple[str, bytes]:
    return get_scenario(session, id).name, export_archive(session, maker.folder, id, known)


def _create(session: Session, new: NewScenario, by: str, at: datetime) -> StoredScenario:
    if new.document is None:
        return create_scenario(session, new.name, acting_user=by, at=at)
    return create_scenario(session, new.name, new.document, acting_user=by, at=at)


def _load(session: Session, id: int) -> tuple[StoredScenario, list[VersionSummary]]:
    return get_scenario(session, id), list(list_versions(session, id))


def _load_version(session: Session, id: int, number: int) -> ScenarioVersion:
    version = find_version(session, id, number)
    if version is None:
        raise NotFound(f"scenario {id} has no version {number}")
    return version
