"""Steps and generations of one conversation → records."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from siphon.records import Message, MessageKind, Problem, Record, Request, Role, Tally, ToolCall
from siphon.sources._loose import as_json, one_line
from siphon.sources.antigravity.generations import Generation, model_name
from siphon.sources.antigravity.steps import Call, Step
from siphon.sources.antigravity.tools import (
    done,
    fits,
    is_tool,
    kind_of,
    step_kind,
    summary,
    touches,
)

_REQUEST = re.compile(r"<USER_REQUEST>\n?(.*?)\n?</USER_REQUEST>\n?", re.DOTALL)
_MODEL = re.compile(r"`Model Selection` from .*? to (.+?)(?:\. |\.\n|\.?</|\.?$)", re.DOTALL)
_SAID: Mapping[str, tuple[Role, MessageKind]] = {
    "CHECKPOINT": ("system", "summary"),
    "ERROR_MESSAGE": ("system", "error"),
    "CONVERSATION_HISTORY": ("system", "meta"),
    "EPHEMERAL_MESSAGE": ("system", "meta"),
    "SYSTEM_MESSAGE": ("system", "meta"),
    "KNOWLEDGE_ARTIFACTS": ("system", "meta"),
}


class _Waiting(NamedTuple):
    call: ToolCall
    made: Call


@dataclass(slots=True)
class Reading:
    session: str
    conversation: str  # its id, the same wherever a copy of the conversation lies
    requests: Mapping[int, Generation]  # step → what it came of
    last_seq: int = 0
    model: str | None = None  # the one chosen last
    first_prompt: str | None = None
    waiting: list[_Waiting] = field(default_factory=list)
    first_seq: dict[str, int] = field(default_factory=dict)  # generation → its first row
    step_ts: dict[int, int] = field(default_factory=dict)
    keys: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def records(self, steps: Sequence[Step]) -> Iterator[Record]:
        for step in steps:
            if step.number is not None and step.ts is not None:
                self.step_ts.setdefault(step.number, step.ts)
            yield from self._step(step)
        for call, _ in self.waiting:
            yield call

    def generated(self, generations: Sequence[Generation]) -> Iterator[Request]:
        seen: set[str] = set()
        for one in generations:
            if one.id in seen:
                continue
            seen.add(one.id)
            times = [self.step_ts[index] for index in one.steps if index in self.step_ts]
            yield Request(
                session=self.session,
                native_id=one.id,
                seq=self.first_seq.get(one.id, self.last_seq),
                model=one.model or self.model,
                ts=min(times, default=None) if one.ts is None else one.ts,
                input_tokens=one.input,
                cache_read_tokens=one.cache_read,
                cache_write_tokens=one.cache_write,
                output_tokens=one.output,
                reasoning_tokens=one.thinking,
            )

    def tallies(self) -> Iterator[Tally]:
        for name, n in sorted(self.known.items()):
            yield Tally(name, "read", n)
        for name, n in sorted(self.unknown.items()):
            yield Tally(name, "unknown", n)

    def message(self, step: Step, role: Role, kind: MessageKind, words: str) -> Message:
        self.last_seq += 1
        request, model = self._asked(step) if role == "assistant" else (None, None)
        return Message(
            session=self.session,
            seq=self.last_seq,
            role=role,
            kind=kind,
            text=words,
            ts=step.ts,
            native_id=self._key(step),
            model=model,
            request=request,
            offset=step.offset,
            length=step.length,
        )

    def _asked(self, step: Step) -> tuple[str | None, str | None]:
        """The request that a step came of, and the model."""
        one = None if step.number is None else self.requests.get(step.number)
        if one is None:
            return None, self.model
        self.first_seq.setdefault(one.id, self.last_seq)
        return one.id, one.model or self.model

    def _key(self, step: Step) -> str:
        place = f"@{step.offset}" if step.number is None else step.number
        key = f"{self.conversation}/{place}"
        self.keys[key] += 1
        return key if self.keys[key] == 1 else f"{key}.{self.keys[key]}"

    def _step(self, step: Step) -> Iterator[Record]:
        if not step.type:
            yield Problem("a step without a type", offset=step.offset)
            return
        tool = is_tool(step.type) or (_numbered(step) and bool(self.waiting))
        known = tool or step.type in ("USER_INPUT", "PLANNER_RESPONSE") or step.type in _SAID
        (self.known if known else self.unknown)[step.type] += 1
        if step.type == "USER_INPUT":
            yield from self._user(step)
        elif step.type == "PLANNER_RESPONSE":
            yield from self._planner(step)
        elif step.type in _SAID:
            role, kind = _SAID[step.type]
            if step.content:
                yield self.message(step, role, kind, step.content)
        elif tool or step.content or step.calls:
            yield from self._tool(step)

    def _user(self, step: Step) -> Iterator[Record]:
        content = step.content or ""
        if chosen := _MODEL.findall(content):
            self.model = model_name(chosen[-1]) or self.model
        asked = _REQUEST.findall(content)
        words = "\n".join(asked).strip() if asked else content.strip()
        rest = _REQUEST.sub("", content).strip() if asked else ""
        if words and step.source in (None, "USER_EXPLICIT"):
            self.first_prompt = self.first_prompt or words
            yield self.message(step, "user", "prompt", words)
        elif words:
            yield self.message(step, "user", "meta", words)
        if rest:
            yield self.message(step, "user", "meta", rest)

    def _planner(self, step: Step) -> Iterator[Record]:
        spoken: int | None = None
        for kind, words in (("thinking", step.thinking), ("reply", step.content)):
            if words and words.strip():
                shown: MessageKind = "thinking" if kind == "thinking" else "reply"
                message = self.message(step, "assistant", shown, words)
                spoken = message.seq
                yield message
        for made in step.calls:
            self.waiting.append(_Waiting(self._call(step, made, spoken), made))

    def _call(self, step: Step, made: Call, spoken: int | None) -> ToolCall:
        self.last_seq += 1
        return ToolCall(
            session=self.session,
            seq=self.last_seq,
            name=made.name,
            kind=kind_of(made.name),
            native_id=f"{self.conversation}/{made.id}" if made.id else self._key(step),
            message_seq=spoken,
            summary=summary(made.arguments),
            input=as_json(made.arguments),
            ts=step.ts,
            request=self._asked(step)[0],
            offset=step.offset,
            length=step.length,
        )

    def _tool(self, step: Step) -> Iterator[Record]:
        """A step that carried out a call: its own, one that waits, or one that no log has."""
        for made in step.calls[1:]:
            yield done(self._call(step, made, None), made, step._replace(content=None))
        taken = self._own(step) or self._taken(step)
        if taken is None:
            made = Call(None, step.type.lower(), {})
            call = self._call(step, made, None)._replace(kind=step_kind(step), input=None)
            finished = done(call, None, step)
            yield finished
            yield from touches(finished, None, step)
            return
        call = taken.call
        if call.kind == "other":
            call = call._replace(kind=step_kind(step), name=call.name or step.type.lower())
        finished = done(call, taken.made, step)
        yield finished
        yield from touches(finished, taken.made, step)

    def _own(self, step: Step) -> _Waiting | None:
        if not step.calls:
            return None
        made = step.calls[0]
        return _Waiting(self._call(step, made, None), made)

    def _taken(self, step: Step) -> _Waiting | None:
        """The oldest call that the step may have carried out; not of a step that is not understood."""
        for waiting in self.waiting if is_tool(step.type) or _numbered(step) else ():
            if fits(waiting.call, step):
                self.waiting.remove(waiting)
                return waiting
        return None

    @property
    def title(self) -> str | None:
        return one_line(self.first_prompt)


def _numbered(step: Step) -> bool:
    """Whether the store gives only the number of a step's type."""
    return step.type.startswith("step/")
