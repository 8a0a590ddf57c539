"""Which lines are left out, and why."""

SKIPS = {
    "todo_state": "the list that the TodoWrite call before it wrote",
    "twin": "the same session is read from a file that has more of it",
}
