"""What VS Code calls the parts of a response: read, or left out for a reason."""

TEXTS = ("markdown", "markdownContent", "inlineReference", "markdownVuln", "codeblockUri")
READ = frozenset(
    (
        "session",
        "request",
        *(f"response/{kind}" for kind in TEXTS),
        "response/thinking",
        "response/toolInvocationSerialized",
        "response/toolInvocation",
        "response/textEditGroup",
        "response/notebookEditGroup",
        "response/workspaceEdit",
        "response/warning",
        "response/elicitationSerialized",
        "response/elicitation",
        "response/elicitation2",
        "response/confirmation",
    )
)
_SHOWN = "shown while it ran; what came of it is read"
SKIPS = {
    "session/empty": "a chat without requests: at most a draft",
    "twin": "the same chat in another file of this host, which is read",
    "interactive.sessions": "a list that is empty, or of chats that have files",
    **{
        f"response/{kind}": _SHOWN
        for kind in (
            "progressMessage",
            "progressTask",
            "progressTaskSerialized",
            "progressTaskResult",
            "mcpServersStarting",
            "mcpServersStartingSerialized",
            "prepareToolInvocation",
            "undoStop",
            "hook",
        )
    },
    "response/command": "a button to click",
    "response/extensions": "a list of extensions to install",
    "response/pullRequest": "a link to a pull request",
    "response/multiDiffData": "a view of edits that are read",
    "response/treeData": "a view of files",
    "response/questionCarousel": "questions put to the user; the answers come as a tool's result",
    "response/externalEdit": "marks edits that a tool made, which is read",
    "response/disabledClaudeHooks": "a notice about settings",
}
