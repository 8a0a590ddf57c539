"""User, assistant, attachment and system lines become messages, calls and answers."""

from siphon.log import Log
from siphon.records import Message, MessageKind, Role
from siphon.sources._text import as_json
from siphon.sources.claude_code import answers, calls, notices, prompts, results, skips, threads
from siphon.sources.claude_code.agents import Place
from siphon.sources.claude_code.answers import SYNTHETIC, Answer
from siphon.sources.claude_code.entries import Attached, Block, Body, Entry, Turn
from siphon.sources.claude_code.prompts import Piece
from siphon.sources.claude_code.spots import Spot, part_id
from siphon.sources.claude_code.threads import Thread, say, seq

_ROW = tuple.__new__  # a row by place, not by name, costs a fifth
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_PICTURES = ("image", "document")
_FAILURES = ("API Error", "Claude AI usage limit reached")
_MACHINES = ("task-notification", "peer", "system")  # origins that are no person's
_STOPPED = "[Request interrupted by user for tool use]"

Cast = tuple[MessageKind, Role]  # what a text that looks typed really is


def user(log: Log, place: Place, thread: Thread, entry: Turn, spot: Spot) -> bool:
    """A user line: what a person typed, tool results, or what the harness put there.

    Returns whether it may hold more than results.
    """
    content = entry.message.content if entry.message is not None else None
    if content is None:
        log.problem("user line without content", spot.number, spot.offset)
        return False
    uuid = entry.uuid
    if uuid is not None:
        if uuid in thread.seen:
            return True  # as `_repeated` says
        thread.seen.add(uuid)
    if thread.unsent:
        threads.flush(thread)
    texts: list[Block] | None = None
    for block in content if isinstance(content, list) else _blocks(content):
        if block.type == "tool_result":
            results.take_result(log, place, thread, spot, block, entry)
        elif texts is None:
            texts = [block]
        else:
            texts.append(block)
    if texts is None:
        return False
    _user_texts(thread, entry, spot, texts)
    return True


def _user_texts(thread: Thread, entry: Turn, spot: Spot, blocks: list[Block]) -> None:
    texts = [block.text for block in blocks if block.text]
    cast = _cast(thread, entry)
    pieces = [_recast(piece, cast) for text in texts for piece in prompts.pieces(text)]
    _tell(thread, spot, pieces, _media(blocks), cast)
    for text in texts:
        _note_command(thread, entry, text)
    if thread.first_prompt is None:
        typed = (piece for piece in pieces if piece.role == "user" and piece.kind != "command")
        thread.first_prompt = next((piece.text for piece in typed), None)
    if any(piece.text.startswith(_STOPPED) for piece in pieces):
        results.interrupt(thread)


def assistant(log: Log, place: Place, thread: Thread, entry: Turn, spot: Spot) -> None:
    """A line of a model's answer, or an error in its place."""
    body, uuid = entry.message, entry.uuid
    if body is None:
        log.problem("assistant line without message", spot.number, spot.offset)
        return
    answer = thread.heard.get((body.id, entry.request_id)) or _answer(thread, entry, body, spot)
    usage, usages, content = body.usage, answer.usages, body.content
    if usage is not None and (not usages or usage != usages[-1]):  # most lines repeat it
        usages.append(usage)
    if body.stop_reason:
        answer.finished = True
    if entry.cost_usd is not None:
        answers.charge(answer, entry.cost_usd)
    if uuid is not None:
        if uuid in thread.seen:
            return  # as `_repeated` says
        thread.seen.add(uuid)
    if thread.current is not answer:
        if thread.unsent:
            threads.flush(thread)
        thread.told.clear()
        thread.current, thread.said = answer, None
    before = thread.last
    for index, block in enumerate(content if isinstance(content, list) else _blocks(content)):
        if block.type in _CALLS:
            results.open_call(log, place, thread, spot, block, answer, index)
        elif block.tool_use_id is not None:
            results.take_result(log, place, thread, spot, block, entry)
        else:
            _speak(thread, entry, spot, answer, block, index)
    if answer.seq == 0:
        answer.seq = before + 1 if thread.last > before else seq(thread)


def attachment(thread: Thread, entry: Entry, attached: Attached, spot: Spot) -> None:
    """What came between the turns: queued prompts, hooks' and tasks' notices."""
    if _repeated(thread, entry):
        return
    if attached.type == "queued_command":
        _queued(thread, attached, spot)
    elif f"attachment/{attached.type}" in skips.READ and (notice := notices.attached(attached)):
        say(thread, spot, notice.role, notice.kind, notice.text)


def system(thread: Thread, entry: Entry, spot: Spot) -> None:
    """A line of the harness itself."""
    if _repeated(thread, entry):
        return
    for index, notice in enumerate(notices.system(entry)):
        say(thread, spot, notice.role, notice.kind, notice.text, index=index)
    if entry.subtype == "local_command" and isinstance(entry.content, str):
        _note_command(thread, entry, entry.content)


def queue_operation(thread: Thread, entry: Entry, spot: Spot) -> None:
    """What was taken out of the queue was sent, unless an attachment says the same."""
    text = entry.content if isinstance(entry.content, str) else ""
    sent = thread.queue.apply(entry.operation, text)
    if sent:
        thread.removed.append((seq(thread), spot, sent))


def close_queue(thread: Thread) -> None:
    """At the log's end: yield the sent texts that stand in no attachment."""
    for at, spot, text in thread.removed:
        if not thread.queue.also_attached(text):
            for piece in prompts.pieces(text)[:1]:
                say(thread, spot, piece.role, piece.kind, text, at=at)


def bare_tool(log: Log, place: Place, thread: Thread, entry: Entry, spot: Spot) -> None:
    """Calls and results as lines of their own, without ids: drafts of the format that are still met."""
    if entry.type == "tool_use":
        block = Block(type="tool_use", name=entry.name, input=entry.input)
        results.open_call(log, place, thread, spot, block, None, 0)
    else:
        output = entry.output if isinstance(entry.output, str | dict) else as_json(entry.output)
        results.take_result(log, place, thread, spot, Block(content=output), entry)


def _blocks(content: list[Block] | str | None) -> list[Block]:
    if isinstance(content, str):
        return [Block(type="text", text=content)]
    return content or []


def _repeated(thread: Thread, entry: Turn) -> bool:
    """Whether the line was written before: compaction in long sessions repeats lines, uuid and all."""
    uuid = entry.uuid
    if uuid is None:
        return False
    if uuid in thread.seen:
        return True
    thread.seen.add(uuid)
    return False


def _media(blocks: list[Block]) -> str | None:
    return as_json([calls.media(block) for block in blocks if block.type in _PICTURES] or None)


def _cast(thread: Thread, entry: Turn) -> Cast | None:
    """What a text of a user line is that looks typed; None: it was typed."""
    if entry.is_compact_summary:
        return "summary", "system"
    expanded = entry.parent_uuid is not None and entry.parent_uuid == thread.expanding
    blocks = entry.message is not None and isinstance(entry.message.content, list)
    if entry.is_meta or entry.is_visible_in_transcript_only or (expanded and blocks):
        return "meta", "system"
    if (entry.origin is not None and entry.origin.kind in _MACHINES) or entry.prompt_source == "system":
        return "notice", "system"
    return ("notice", "user") if thread.side else None


def _recast(piece: Piece, cast: Cast | None) -> Piece:
    return piece if cast is None or piece.kind != "prompt" else Piece(*cast, piece.text)


def _tell(thread: Thread, spot: Spot, pieces: list[Piece], media: str | None, cast: Cast | None) -> None:
    """One message a piece; what was typed in several blocks is one message, with its images."""
    kind, role = cast or ("prompt", "user")
    typed = [piece for piece in pieces if piece.kind == kind and piece.role == role]
    if typed or media is not None:
        whole = Piece(kind, role, "\n\n".join(piece.text for piece in typed))
        place = pieces.index(typed[0]) if typed else len(pieces)
        others = [piece for piece in pieces if piece not in typed]
        pieces = [*others[:place], whole, *others[place:]]
    for index, piece in enumerate(pieces):
        own = media if piece.kind == kind and piece.role == role else None
        say(thread, spot, piece.role, piece.kind, piece.text or None, index=index, attachments=own)


def _note_command(thread: Thread, entry: Turn, text: str) -> None:
    found = prompts.command(text)
    if found is None or entry.is_meta:
        return
    name, args = found
    if name not in thread.typed:
        thread.typed.append(name)
    if name == "/rename":
        thread.custom_title = args
    if text.lstrip().startswith(prompts.EXPANDS):
        thread.expanding = entry.uuid


def _answer(thread: Thread, entry: Turn, body: Body, spot: Spot) -> Answer:
    """The answer that a line belongs to, by the response's id.

    A request's id only breaks a tie: between two answers of the main talk to which a proxy gave one id.
    Side chains replay answers under new request ids.
    """
    named, request_id = body.id, entry.request_id
    key = named or request_id or entry.uuid or f"\0{spot.offset}"
    known = thread.answers.get(key)
    if (
        known is not None
        and known.request_id != request_id
        and (known.request_id and request_id and named and not thread.side)
    ):
        key = f"{named}/{request_id}"
        known = thread.answers.get(key)
    if known is None:
        native_id = key if named or request_id else spot.native_id
        known = Answer(native_id, 0, body.model, spot.ts, spot.offset, spot.length, request_id)
        thread.answers[key] = known
    else:
        known.model = known.model or body.model
        known.request_id = known.request_id or request_id
    if named and known.request_id == request_id and known.model:
        thread.heard[named, request_id] = known
    return known


def _speak(thread: Thread, entry: Turn, spot: Spot, answer: Answer, block: Block, index: int) -> None:
    """A text or a thought of an answer; a thought of which only the signature is logged is left out."""
    thinks = block.type == "thinking"
    text = block.thinking if thinks else block.text
    if not text or text.isspace():
        return
    thread.last += 1
    synthetic = answer.model == SYNTHETIC
    made_up = synthetic or entry.is_api_error_message  # by the harness
    message = _ROW(Message, (
        thread.native_id, thread.last, "assistant",
        "thinking" if thinks else _kind(entry, text) if made_up else "reply",
        text, spot.ts, part_id(spot, index) if index else spot.native_id, spot.parent,
        None if synthetic else answer.model, None if synthetic else answer.native_id,
        spot.abandoned, None, spot.offset, spot.length,
    ))  # fmt: skip
    if thread.unsent or thread.told:
        answer.chars += threads.speak(thread, message)
    else:
        thread.unsent.append(message)
        thread.said = thread.last
        answer.chars += len(text)


def _kind(entry: Turn, text: str) -> MessageKind:
    """Of a text that the harness put in the model's place."""
    return "error" if entry.is_api_error_message or text.startswith(_FAILURES) else "meta"


def _queued(thread: Thread, attached: Attached, spot: Spot) -> None:
    text = notices.queued_text(attached)
    thread.queue.attached[text] += 1
    cast: Cast | None = None
    if not notices.is_persons(attached):
        cast = "notice", "system"
    elif thread.side:
        cast = "notice", "user"
    if attached.command_mode == "bash":
        text = f"<bash-input>{text}</bash-input>"
    pieces = [_recast(piece, cast) for piece in prompts.pieces(text)]
    _tell(thread, spot, pieces, _media(notices.queued_blocks(attached)), cast)
    if cast is None and thread.first_prompt is None:
        thread.first_prompt = next((piece.text for piece in pieces if piece.kind == "prompt"), None)
