"""The events of a Copilot CLI log, as far as they are read; fields are named as the vendor does."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Event(msgspec.Struct, rename="camel"):
    """One line."""

    type: str | None = None
    id: str | int | None = None
    timestamp: Stamp = None
    parent_id: str | int | None = None
    agent_id: str | int | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Context(msgspec.Struct, rename="camel"):
    """Where a session runs."""

    cwd: str | None = None
    git_root: str | None = None
    branch: str | None = None
    repository: str | None = None
    repository_host: str | None = None
    host_type: str | None = None


class Start(msgspec.Struct, rename="camel"):
    """session.start and session.resume."""

    session_id: str | None = None
    copilot_version: str | None = None
    start_time: Stamp = None
    resume_time: Stamp = None
    selected_model: str | None = None
    context: Context | None = None
    detached_from_spawning_parent_session_id: str | None = None


class Note(msgspec.Struct, rename="camel"):
    """Any event that tells something in words: notices, errors, titles, summaries, agents."""

    message: str | None = None
    content: str | None = None
    title: str | None = None
    summary: str | None = None
    reason: str | None = None
    name: str | None = None
    new_model: str | None = None
    error_message: str | None = None
    error: Any = None
    success: bool | None = None
    remote_session_id: str | None = None
    tool_call_id: str | None = None
    agent_name: str | None = None
    parent_tool_call_id: str | None = None
    up_to_event_id: str | int | None = None
    initial_message: str | None = None
    result: Any = None


class Attachment(msgspec.Struct, rename="camel"):
    type: str | None = None
    mime_type: str | None = None
    byte_length: Count | None = None
    display_name: str | None = None
    path: str | None = None


class User(msgspec.Struct, rename="camel"):
    """user.message."""

    content: str | None = None
    source: str | None = None
    is_autopilot_continuation: bool | None = None
    attachments: list[Attachment] | None = None


class ToolRequest(msgspec.Struct, rename="camel"):
    """A call inside assistant.message; also tool.execution_start and tool.user_requested."""

    tool_call_id: str | None = None
    name: str | None = None
    tool_name: str | None = None
    arguments: Any = None
    intention_summary: str | None = None
    mcp_server_name: str | None = None
    parent_tool_call_id: str | None = None


class Assistant(msgspec.Struct, rename="camel"):
    """assistant.message and assistant.reasoning."""

    message_id: str | None = None
    reasoning_id: str | None = None
    api_call_id: str | None = None
    model: str | None = None
    content: str | None = None
    reasoning_text: str | None = None
    tool_requests: list[ToolRequest] | None = None
    output_tokens: Count | None = None
    chunk_index: Count | None = None
    chunk_count: Count | None = None
    parent_tool_call_id: str | None = None


class Result(msgspec.Struct, rename="camel"):
    content: str | None = None
    detailed_content: str | None = None


class Failure(msgspec.Struct, rename="camel"):
    message: str | None = None
    code: str | None = None


class FileEdit(msgspec.Struct, rename="camel"):
    kind: str | None = None
    path: str | None = None


class ShellExecution(msgspec.Struct, rename="camel"):
    exit_code: int | None = None


class Metrics(msgspec.Struct, rename="camel"):
    lines_added: Count | None = None
    lines_removed: Count | None = None


class Telemetry(msgspec.Struct, rename="camel"):
    metrics: Metrics | None = None


class ToolUsage(msgspec.Struct, rename="camel"):
    """A tool that is itself a metered model call."""

    model: str | None = None
    request_id: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None


class Completed(msgspec.Struct, rename="camel"):
    """tool.execution_complete."""

    tool_call_id: str | None = None
    success: bool | None = None
    result: Result | None = None
    error: Failure | None = None
    file_edits: list[FileEdit] | None = None
    shell_execution: ShellExecution | None = None
    tool_telemetry: Telemetry | None = None
    tool_usage: ToolUsage | None = None
    parent_tool_call_id: str | None = None


class Usage(msgspec.Struct, rename="camel"):
    """Token counts; input includes cache reads and writes, output includes reasoning."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None


class Detail(msgspec.Struct, rename="camel"):
    """Tokens of one class; the classes of token details are disjoint."""

    token_count: Count | None = None
    token_type: str | None = None


class Metric(msgspec.Struct, rename="camel"):
    """What one model used."""

    usage: Usage | None = None
    total_nano_aiu: float | None = None
    token_details: dict[str, Detail] | None = None


class ProviderMetric(msgspec.Struct, rename="camel"):
    model_id: str | None = None
    metrics: Metric | None = None


class Totals(msgspec.Struct, rename="camel"):
    """session.shutdown and session.usage_checkpoint."""

    model_metrics: dict[str, Metric] | None = None
    provider_model_metrics: list[ProviderMetric] | None = None
    token_details: dict[str, Detail] | None = None
    total_nano_aiu: float | None = None
    current_model: str | None = None
    usage_accounting_watermarks: dict[str, Any] | None = None


class CopilotUsage(msgspec.Struct, rename="camel"):
    token_details: list[Detail] | None = None
    total_nano_aiu: float | None = None


class Accounting(msgspec.Struct, rename="camel"):
    usage_id: str | None = None


class CallUsage(msgspec.Struct, rename="camel"):
    """assistant.usage, and the tokens a compaction used; counts as in Usage."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    model: str | None = None
    api_call_id: str | None = None
    copilot_usage: CopilotUsage | None = None
    accounting: Accounting | None = None
    parent_tool_call_id: str | None = None


class Compaction(msgspec.Struct, rename="camel"):
    """session.compaction_complete."""

    success: bool | None = None
    summary_content: str | None = None
    error: Any = None
    request_id: str | None = None
    compaction_tokens_used: CallUsage | None = None
