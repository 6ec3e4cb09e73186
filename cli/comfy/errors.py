"""A server's validation and execution errors in words: which node, which input, what was expected."""

from __future__ import annotations

from ..words import line
from .answers import items, record, text
from .definitions import choices, listed, typed
from .workflow import describe

GIVEN = 120  # characters of a value
# Nodes that have an output in the history whenever they ran.
LEAVE_SOMETHING = (
    "SaveImage",
    "PreviewImage",
    "PreviewAny",
    "MaskPreview",
    "SaveAnimatedWEBP",
    "SaveAnimatedPNG",
)


def reason(error: dict, prompt: dict) -> str:
    """One validation error: what was expected and what came instead."""
    extra = record(error.get("extra_info"))
    config, got = extra.get("input_config"), line(extra.get("received_value"), GIVEN)
    details, (kind, limits) = line(error.get("details") or ""), typed(config)
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
            return f"expected {kind or 'another type'}, got '{got}'"
        case "return_type_mismatch":
            source = describe(prompt, str((items(extra.get("linked_node")) or ["?"])[0]))
            return f"expected {kind or 'another type'}, got {line(extra.get('received_type'))} from {source}"
        case "exception_during_inner_validation" | "exception_during_validation":
            plain = extra.get("exception_type") == "ValueError" and details
            return details.rstrip(".") if plain else f"cannot be checked ({details})"
        case "custom_validation_failed":
            return details.partition(" - ")[2] or details
    message = line(error.get("message") or "refused")
    return f"{message}: {details}" if details else message


def refusal(body: dict, prompt: dict) -> str:
    """Everything the server found wrong with the workflow, one line per input."""
    lines = []
    for identity, node in record(body.get("node_errors")).items():
        for error in map(record, items(record(node).get("errors"))):
            name = record(error.get("extra_info")).get("input_name")
            # This one names the input of the next node, which is not at fault.
            name = None if str(error.get("type")).startswith("exception_during") else name
            where = describe(prompt, identity) + (f", input {line(name)}" if name else "")
            lines.append(f"{where}: {reason(error, prompt)}.")
    error = body.get("error")
    if not lines and isinstance(error, dict):
        extra = record(error.get("extra_info"))
        if error.get("type") == "missing_node_type" and extra.get("class_type"):
            where = describe(prompt, str(extra.get("node_id")))
            lines.append(f"{where}: this server does not know the node; install the pack it belongs to.")
        else:
            told = [line(error.get(part) or "") for part in ("message", "details")]
            lines.append(". ".join(part for part in told if part) or "it did not say why.")
    elif not lines:
        lines.append(line(error) if text(error) else "it did not say why.")
    told = list(dict.fromkeys(each if each.endswith((".", "!", "?")) else f"{each}." for each in lines))
    if len(told) == 1:
        return f"The server refused the workflow: {told[0]}"
    return "\n".join(["The server refused the workflow:", *(f"  {each}" for each in told)])


def failure(entry: dict, prompt: dict) -> str | None:
    """Why the prompt of this history entry failed, as a whole or at blocked nodes; None when it did not."""
    status = record(entry.get("status"))
    pairs = [each for each in items(status.get("messages")) if isinstance(each, list | tuple)]
    for kind, data in [(each[0], record(each[1])) for each in pairs if len(each) == 2]:
        where = describe(prompt, str(data.get("node_id")))
        if kind == "execution_error":
            name, words = text(data.get("exception_type")), line(data.get("exception_message") or "")
            if name == "ExecutionBlocked":
                return f"{where} was not run: {words.removeprefix('Execution Blocked: ')}"
            plain = name in ("ValueError", "RuntimeError", "") and words
            return f"{where} failed: {words if plain else f'{line(name)}: {words}'}"
        if kind == "execution_interrupted":
            return f"The workflow was interrupted at {where}."
    if status.get("status_str") != "success":
        return "The workflow failed; the server did not say why."
    return blocked_before(entry, prompt)


def blocked_before(entry: dict, prompt: dict) -> str | None:
    """A sentence on a node that an earlier run blocked, which ComfyUI remembers silently; else None."""
    messages = items(record(entry.get("status")).get("messages"))
    pairs = [each for each in messages if isinstance(each, list | tuple) and len(each) == 2]
    told = [items(record(data).get("nodes")) for kind, data in pairs if kind == "execution_cached"]
    for identity in (each for nodes in told for each in nodes if text(each)):
        kind = record(prompt.get(identity)).get("class_type")
        if kind in LEAVE_SOMETHING and identity not in record(entry.get("outputs")):
            return f"{describe(prompt, identity)} was not run: what it needs was blocked in an earlier run"
    return None


def went_on(entry: dict) -> bool:
    """Whether the workflow ran to its end, be it without its blocked nodes."""
    return record(entry.get("status")).get("status_str") == "success"
