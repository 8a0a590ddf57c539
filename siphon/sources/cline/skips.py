"""Which says and asks are left out, and why."""

SKIPS = {
    "say/checkpoint_created": "the shadow repository's business",
    "say/checkpoint_saved": "the shadow repository's business",
    "say/api_req_deleted": "marks a turn that is gone",
    "say/mcp_server_request_started": "a sign of life; the call itself is told",
    "ask/resume_task": "a button",
    "ask/resume_completed_task": "a button",
    "partial": "still being streamed; the whole follows",
}
