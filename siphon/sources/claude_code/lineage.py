"""What a session is called, and which session it comes from."""

from siphon.log import Log
from siphon.records import Relation, RelationKind
from siphon.sources.claude_code import agents
from siphon.sources.claude_code.agents import Meta, Place
from siphon.sources.claude_code.entries import Entry, Sighted, Turn
from siphon.sources.claude_code.outline import Outline
from siphon.sources.claude_code.threads import Spawn, Thread


def name(thread: Thread, entry: Entry) -> None:
    """Take titles and folders from a line that holds nothing else; the last one wins."""
    if entry.custom_title is not None:
        thread.custom_title = entry.custom_title  # an empty one clears it
    if entry.ai_title is not None:
        thread.ai_title = entry.ai_title
    if entry.last_prompt is not None:
        thread.last_prompt = entry.last_prompt
    if entry.agent_setting:
        thread.agent = entry.agent_setting
    if entry.worktree_session is not None and entry.worktree_session.original_cwd:
        thread.project = entry.worktree_session.original_cwd
    if entry.relocated_cwd:
        thread.cwd = entry.relocated_cwd


def unwrapped(entry: Entry, sighted: Sighted) -> Turn:
    """A sighted line as it stands in the agent's own log, with its parent's folder and version."""
    return Turn(
        type=sighted.type,
        uuid=sighted.uuid,
        timestamp=sighted.timestamp,
        cwd=entry.cwd,
        git_branch=entry.git_branch,
        version=entry.version,
        entrypoint=entry.entrypoint,
        request_id=sighted.request_id,
        is_sidechain=True,
        is_meta=sighted.is_meta,
        is_api_error_message=sighted.is_api_error_message,
        message=sighted.message,
        tool_use_result=sighted.tool_use_result,
    )


def trace(
    relations: dict[str, Relation],
    log: Log,
    place: Place,
    outline: Outline,
    trunk: Thread,
    meta: Meta | None,
) -> None:
    """Where the log's own session comes from."""
    if meta is not None:
        trunk.agent = trunk.agent or meta.agent_type
        trunk.description = meta.description or meta.name
    if place.agent_id is not None:
        relations[trunk.native_id] = agents.relation(log, place, meta or Meta())
        return
    origin = _fork(outline) or _continued(place, outline)
    if origin is not None and origin[1] != trunk.native_id:
        relations[trunk.native_id] = Relation(trunk.native_id, *origin)


def descend(relations: dict[str, Relation], agent: Thread, parent: Thread, call: str | None) -> None:
    """An agent seen in its parent's progress comes from the call that the progress belongs to."""
    spawn = next((spawn for spawn in parent.spawns if call and spawn.id == call), None)
    _descend(relations, agent, parent, spawn, spawn.call if spawn is not None else call)


def descend_by_call(relations: dict[str, Relation], agent: Thread, trunk: Thread) -> None:
    """An agent whose lines stand in its trunk's log comes from the call whose result names it, else from
    the nearest earlier call with the very prompt that it begins with."""
    call = trunk.started.get(agent.native_id.rpartition("/")[2])
    earlier = [spawn for spawn in trunk.spawns if spawn.offset < agent.offset]
    spawn = next((spawn for spawn in earlier if call is not None and spawn.call == call), None)
    if spawn is None and agent.first_prompt is not None:
        taken = {relation.call_native_id for relation in relations.values()}
        same = [s for s in earlier if s.prompt == agent.first_prompt and s.call not in taken]
        spawn = same[-1] if same else None
    _descend(relations, agent, trunk, spawn, spawn.call if spawn is not None else call)


def _descend(
    relations: dict[str, Relation], agent: Thread, parent: Thread, spawn: Spawn | None, call: str | None
) -> None:
    kind: RelationKind = "compaction" if agent.native_id.partition("/acompact-")[1] else "subagent"
    relations[agent.native_id] = Relation(agent.native_id, kind, parent.native_id, call)
    if spawn is not None:
        agent.description = agent.description or spawn.description
        agent.agent = agent.agent or spawn.agent


def _fork(outline: Outline) -> tuple[RelationKind, str] | None:
    return ("fork", outline.forked_from) if outline.forked_from else None


def _continued(place: Place, outline: Outline) -> tuple[RelationKind, str] | None:
    """A file that begins with lines of another session, before its own ones."""
    first = next(iter(outline.session_ids), None)
    if first is None or first == place.native_id or place.native_id not in outline.session_ids:
        return None
    return "continuation", first
