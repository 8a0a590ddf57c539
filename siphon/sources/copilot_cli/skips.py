"""Event types that are left out on purpose. The names are those of the vendor's event schema."""

_REASONS = {
    "brackets a turn; its messages are read": """
        assistant.turn_start assistant.turn_end assistant.turn_retry assistant.idle session.idle
    """,
    "a hook's input repeats the prompt or the tool call": """
        hook.start hook.progress
    """,
    "a piece of an event that comes whole": """
        assistant.reasoning_delta assistant.tool_call_delta assistant.streaming_delta
        assistant.message_start assistant.message_delta tool.execution_partial_result
        tool.execution_progress tool.shell_output assistant.server_tool_progress
    """,
    "the context meter, no content": """
        session.usage_info session.truncation session.compaction_start session.context_cleared
        prompt_cache_break session.quota_observation
    """,
    "a setting changed": """
        session.mode_changed session.mode_notice_delivered session.permissions_changed
        session.session_limits_changed session.auto_mode_resolved
        session.auto_tier_recommendation session.auto_tier_switch_failed
        session.model_deselected session.remote_steerable_changed auto_mode_switch.requested
        auto_mode_switch.completed session_limits_exhausted.requested
        session_limits_exhausted.completed session.schedule_created session.schedule_cancelled
        session.schedule_rearmed session.autopilot_objective_changed session.autopilot_stopped
        session.managed_settings_resolved session.managed_settings_enforced
        session.managed_plugin_progress subagent.configured subagent.selected
        subagent.deselected commands.changed capabilities.changed
    """,
    "the catalogue of tools, servers, skills or agents": """
        session.tools_updated session.skills_loaded session.custom_agents_updated
        session.mcp_servers_loaded session.mcp_server_status_changed
        session.mcp_server_tools_loaded session.mcp_server_removed
        session.mcp_server_needs_reconnect mcp.tools.list_changed mcp.resources.list_changed
        mcp.prompts.list_changed session.extensions_loaded tool_search.activated
        mcp.oauth_required mcp.oauth_completed mcp.oauth_recovery_completed
        mcp.headers_refresh_required mcp.headers_refresh_completed
    """,
    "asks or answers what a tool's call and result say": """
        permission.requested permission.carriedForward permission.messageAuthorization
        permission.messageAuthorizationRead permission.assentDetected
        permission.messageAuthorizationDegraded permission.contextualAuthorization
        session.permission_recovery sandbox.decision user_input.requested user_input.completed
        elicitation.requested elicitation.completed sampling.requested sampling.completed
        external_tool.requested external_tool.completed exit_plan_mode.requested
        exit_plan_mode.completed human_response.recorded mcp_app.tool_call_complete
    """,
    "the queue of the user interface": """
        pending_messages.modified command.queued command.execute command.completed
        ui.ephemeral_query session.custom_notification session.extensions.attachments_pushed
        session.canvas.opened session.canvas.closed session.canvas.recorded
        session.canvas.removed session.canvas.unavailable session.canvas.registry_changed
    """,
    "tells that a file of the session folder changed": """
        session.plan_changed session.todos_changed session.workspace_file_changed
        session.background_tasks_changed
    """,
    "telemetry of a request; its message and totals are read": """
        model.call_start model.call_finished model.call_final_result session.indexed_search
        session.completion_receipt agent.interrupted
    """,
    "routes one prompt over several models; their messages are read": """
        session.fusion_route_started session.fusion_route_failed session.fusion_resolved
        session.fusion_completed assistant.fusion_phase_started assistant.fusion_phase_activity
        assistant.fusion_phase_completed assistant.fusion_phase_failed workflow.run_updated
        workflow.run_started workflow.run_settled
    """,
    "the step's headline, three words; the messages are read": """
        assistant.intent
    """,
    "base64 data": """
        session.binary_asset
    """,
    "points to a skill's text, which skill.invoked holds": """
        skill.invoked_ref skill.context_delivered_ref skill.context_delivered
    """,
    "the same session is read from a log that has more of it": """
        twin
    """,
}
SKIPS = {name: reason for reason, names in _REASONS.items() for name in names.split()}
