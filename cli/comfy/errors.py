"""A server's validation and execution errors in words: which node, which input, what was expected."""

from __future__ import annotations

from .workflow import describe

MANY = 12


def choices(config: object) -> list:
    """The values a combo input accepts, from its declaration; [] where there is none."""
    if not isinstance(config, list | tuple) or not config:
        return []
    if isinstance(config[0], list):
        return config[0]
    options = config[1].get("options", []) if len(config) > 1 and isinstance(config[1], dict) else []
    return [option.get("key") if isinstance(option, dict) else option for option in options]


def listed(values: list) -> str:
    """The values as a readable list that does not fill the screen."""
    shown = ", ".join(str(value) for value in values[:MANY])
    return shown + (f" and {len(values) - MANY} more" if len(values) > MANY else "")


def reason(error: dict, prompt: dict) -> str:
    """One validation error: what was expected and what came instead."""
    extra = error.get("extra_info") or {}
    config, got, details = extra.get("input_config"), extra.get("received_value"), error.get("details", "")
    limits = config[1] if isinstance(config, list) and len(config) > 1 and isinstance(config[1], dict) else {}
    match error.get("type"):
        case "required_input_missing":
            return "is needed, but missing"
        case "value_not_in_list":
            values = choices(config)
            if not values and config is not None:
                return f"expected a name from a list that is empty on this server, got '{got}'"
            return f"expected one of {listed(values)}; got '{got}'" if values else details
        case "value_smaller_than_min":
            return f"expected at least {limits.get('min')}, got {got}"
        case "value_bigger_than_max":
            return f"expected at most {limits.get('max')}, got {got}"
        case "invalid_input_type":
            return f"expected {config[0] if config else 'another type'}, got '{got}'"
        case "return_type_mismatch":
            source = describe(prompt, str((extra.get("linked_node") or ["?"])[0]))
            expected = config[0] if config else "another type"
            return f"expected {expected}, got {extra.get('received_type')} from {source}"
        case "exception_during_inner_validation" | "exception_during_validation":
            plain = extra.get("exception_type") == "ValueError" and details
            return details.rstrip(".") if plain else f"cannot be checked ({details})"
        case "custom_validation_failed":
            return details.partition(" - ")[2] or details
    return f"{error.get('message', 'refused')}: {details}" if details else error.get("message", "refused")


def refusal(body: dict, prompt: dict) -> str:
    """Everything the server found wrong with the workflow, one line per input."""
    lines = []
    for identity, node in (body.get("node_errors") or {}).items():
        for error in node.get("errors", []):
            name = (error.get("extra_info") or {}).get("input_name")
            # This one names the input of the next node, which is not at fault.
            name = None if str(error.get("type")).startswith("exception_during") else name
            where = describe(prompt, identity) + (f", input {name}" if name else "")
            lines.append(f"{where}: {reason(error, prompt)}.")
    error = body.get("error")
    if not lines and isinstance(error, dict):
        extra = error.get("extra_info") or {}
        if error.get("type") == "missing_node_type" and extra.get("class_type"):
            where = describe(prompt, str(extra.get("node_id")))
            lines.append(f"{where}: this server does not know the node; install the pack it belongs to.")
        else:
            lines.append(". ".join(part for part in (error.get("message"), error.get("details")) if part))
    return "\n".join(["The server refused the workflow:", *(f"  {line}" for line in dict.fromkeys(lines))])


def failure(entry: dict, prompt: dict) -> str | None:
    """Why the prompt of this history entry failed; None when it did not."""
    status = entry.get("status") or {}
    for kind, data in status.get("messages", []):
        where = describe(prompt, str(data.get("node_id")))
        if kind == "execution_error":
            name, words = data.get("exception_type", ""), data.get("exception_message", "").strip()
            plain = name in ("ValueError", "RuntimeError", "") and words
            return f"{where} failed: {words if plain else f'{name}: {words}'}"
        if kind == "execution_interrupted":
            return f"The workflow was interrupted at {where}."
    if status.get("status_str") != "success":
        return "The workflow failed; the server did not say why."
    return None
