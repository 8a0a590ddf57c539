"""What a person typed while the model was busy.

New releases write it as an attachment, and a `remove` with the same text besides. In older ones the
`remove` alone tells that it was sent; it may leave out the text, which then stands in the `enqueue`.
An `enqueue` or `dequeue` is no prompt: it becomes a user line.
"""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Queue:
    """The queue as its operations so far leave it, oldest first."""

    waiting: list[str] = field(default_factory=list)
    attached: Counter[str] = field(default_factory=Counter)  # texts that attachments hold

    def apply(self, operation: str | None, text: str) -> str | None:
        """Apply one operation; returns the text that it sent to the model, if it is a `remove`."""
        match operation:
            case "enqueue":
                self.waiting.append(text)
            case "popAll":
                self.waiting.clear()
            case "dequeue" | "remove":
                taken = self._take(text)
                return taken if operation == "remove" else None
        return None

    def _take(self, text: str) -> str | None:
        if text and text in self.waiting:
            self.waiting.remove(text)
        elif self.waiting and not text:
            return self.waiting.pop(0)
        return text or None

    def also_attached(self, text: str) -> bool:
        """Whether an attachment, not counted for another `remove`, holds the text."""
        if self.attached[text] < 1:
            return False
        self.attached[text] -= 1
        return True
