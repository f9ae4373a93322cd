"""What every client must see, whichever SDK and revision it speaks. The probes of the Python SDKs give this an adapter;
it holds all that is asserted, and must never know an SDK. `scenario.mjs` is the same for JavaScript, with its reasons.

An adapter has:
  protocol                       the revision that was negotiated
  changes                        how many list changes have arrived
  async list_tools()             every tool, all pages, as the protocol's JSON
  async call_tool(name, arguments, on_progress=None)   the result as the protocol's JSON; raises `Refused` on a protocol error
  async call_and_cancel(name, arguments, after)        starts a call and cancels it; True if no result came
"""

import asyncio
import json
import time

BUILT_INS = [
    "call-tool",
    "get-policy",
    "grant-environment-variable-permission",
    "grant-memory-permission",
    "grant-network-permission",
    "grant-storage-permission",
    "inspect-component",
    "list-components",
    "load-component",
    "request-permission",
    "reset-permission",
    "revoke-environment-variable-permission",
    "revoke-network-permission",
    "revoke-storage-permission",
    "search-components",
    "search-tools",
    "unload-component",
]
INVALID_PARAMS = -32602
PATIENCE = 20.0


class Refused(Exception):
    """An error of the protocol, as any of the SDKs raises it."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def check(holds, what):
    """`assert` would go with -O."""
    if not holds:
        raise AssertionError(what)


def check_equal(found, expected, what):
    check(found == expected, f"{what}: expected {expected!r}, found {found!r}")


async def run(adapter, revision, component):
    check_equal(adapter.protocol, revision, "the negotiated revision")
    await lists_tools(adapter)
    await calls_tools(adapter)
    await tells_errors(adapter)
    await reports_progress(adapter)
    check(await adapter.call_and_cancel("infinite-loop", {}, 0.5), "a cancelled call has no result")
    await answers_still(adapter, "after a cancelled call")
    await loads_and_unloads(adapter, component)


async def lists_tools(adapter):
    tools = {tool["name"]: tool for tool in await adapter.list_tools()}
    for name in BUILT_INS:
        check(name in tools, f"{name} is listed")
    ours, theirs = list(tools)[: len(BUILT_INS)], list(tools)[len(BUILT_INS) :]
    check_equal(ours, sorted(BUILT_INS), "the list begins with the built-in tools")
    check_equal(theirs, sorted(theirs), "all others are sorted by name")
    allocate = tools["allocate"]
    check("MiB" in allocate["description"], "a tool has its function's description")
    check_equal(allocate["inputSchema"]["properties"]["mebibytes"]["type"], "integer", "input schema")
    check_equal(allocate["inputSchema"]["required"], ["mebibytes"], "required arguments")
    check_equal(allocate["outputSchema"]["type"], "object", "output schema")
    check_equal(allocate["outputSchema"]["properties"]["result"]["type"], "integer", "output schema's result")


async def calls_tools(adapter):
    number = await adapter.call_tool("allocate", {"mebibytes": 1})
    check_equal(number.get("structuredContent"), {"result": 1}, "a number")
    check_equal(text(number), "1", "a number as text")
    home = {"street": "One", "location": {"x": -1, "y": 2}}
    person = {"name": "Ada", "age": 36, "tags": ["a", "é"], "home": home, "previous-homes": []}
    record = await adapter.call_tool("test_zoo_types_echo_person", {"v": person})
    check_equal(record.get("structuredContent"), {"result": person}, "a record comes back as it was")
    check_equal(json.loads(text(record)), person, "the text is the same value")


async def tells_errors(adapter):
    bad = await adapter.call_tool("allocate", {"mebibytes": "one"})
    check(bad.get("isError") is True, "bad arguments are a result that the model can read")
    check("arguments.mebibytes" in text(bad), f"the error names the argument: {text(bad)}")

    failed = await adapter.call_tool("fail", {"message": "no luck today"})
    check(failed.get("isError") is True, "a component's own error")
    check("no luck today" in text(failed), f"the error is the component's: {text(failed)}")
    check(failed.get("structuredContent") is None, "no structured content beside an error")

    trapped = await adapter.call_tool("trap", {})
    check(trapped.get("isError") is True, "a trap")
    await answers_still(adapter, "after a trap")
    await is_refused(adapter, "no-such-tool", {})


async def reports_progress(adapter):
    reports = []

    async def on_progress(progress, _total, _message):
        reports.append(progress)

    slept = await adapter.call_tool("sleep", {"millis": 3000}, on_progress)
    check(not slept.get("isError"), text(slept))
    check(len(reports) > 0, "progress arrives while a call runs")
    check(reports == sorted(set(reports)), f"progress grows: {reports}")


async def loads_and_unloads(adapter, component):
    check("count-words" not in await names(adapter), "the store is fresh")
    before = adapter.changes
    loaded = await adapter.call_tool("load-component", {"path": component})
    check(not loaded.get("isError"), text(loaded))
    offered = {tool["name"]: tool for tool in loaded["structuredContent"]["result"]["tools"]}
    check("text" in offered["count-words"]["input_schema"]["properties"], "the answer has the new tools")
    await until(lambda: adapter.changes > before, "list_changed arrives after a load")
    check("count-words" in await names(adapter), "the new tool is listed")

    words = {"text": "one two three"}
    counted = await adapter.call_tool("count-words", words)
    check_equal(counted.get("structuredContent"), {"result": 3}, "the new tool is callable")
    indirect = await adapter.call_tool("call-tool", {"name": "count-words", "arguments": words})
    check("3" in text(indirect), "the new tool is callable through call-tool")

    between = adapter.changes
    unloaded = await adapter.call_tool("unload-component", {"id": "text-stats"})
    check(not unloaded.get("isError"), text(unloaded))
    await until(lambda: adapter.changes > between, "list_changed arrives after an unload")
    check("count-words" not in await names(adapter), "the tool is listed no more")
    await is_refused(adapter, "count-words", words)


async def is_refused(adapter, name, arguments):
    try:
        result = await adapter.call_tool(name, arguments)
    except Refused as refused:
        check_equal(refused.code, INVALID_PARAMS, f"`{name}` is an unknown tool")
        return
    raise AssertionError(f"`{name}` is no tool, and answered {result}")


async def answers_still(adapter, when):
    pong = await adapter.call_tool("allocate", {"mebibytes": 0})
    check_equal(pong.get("structuredContent"), {"result": 0}, when)


async def names(adapter):
    return [tool["name"] for tool in await adapter.list_tools()]


async def until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        check(time.monotonic() < end, what)
        await asyncio.sleep(0.02)


def text(result):
    return "\n".join(block.get("text", "") for block in result.get("content", []))
