"""Tells a story with the Python SDK 2.x, in one of its three ways to choose a revision.

    python py_mcp2.py legacy|auto|2026-07-28 tools|approvals COMPONENT stdio PROGRAM [ARGUMENT...]
    python py_mcp2.py legacy|auto|2026-07-28 tools|approvals COMPONENT http URL
"""

import asyncio
import contextlib
import sys

from mcp import Client, MCPError, StdioServerParameters
from mcp_types import ElicitResult

import approvals
import scenario

mode, story, component, kind, target, *rest = sys.argv[1:]


class Adapter:
    def __init__(self):
        self.client = None
        self.changes = 0

    @property
    def protocol(self):
        return self.client.protocol_version

    async def on_message(self, message):
        """The handshake's revisions: a notification."""
        if "ToolListChanged" in type(message).__name__ or "ToolListChanged" in type(getattr(message, "root", None)).__name__:
            self.changes += 1

    async def listen(self, opened):
        """2026-07-28: a stream that the client opens."""
        async with self.client.listen(tools_list_changed=True) as events:
            opened.set()
            async for _event in events:
                self.changes += 1

    async def list_tools(self):
        tools, cursor = [], None
        while True:
            page = await self.client.list_tools(cursor=cursor, cache_mode="refresh")
            tools += [tool.model_dump(by_alias=True, exclude_none=True) for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                return tools

    async def call_tool(self, name, arguments, on_progress=None):
        try:
            result = await self.client.call_tool(name, arguments, progress_callback=on_progress)
        except MCPError as error:
            raise scenario.Refused(error.error.code) from error
        # `exclude_unset`, for a null inside a tool's result is a value.
        return result.model_dump(by_alias=True, exclude_unset=True)

    async def call_and_cancel(self, name, arguments, after):
        call = asyncio.create_task(self.client.call_tool(name, arguments))
        await asyncio.sleep(after)
        answered = call.done()
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        return not answered


async def main():
    adapter = Adapter()
    server = StdioServerParameters(command=target, args=rest) if kind == "stdio" else target
    person = approvals.Person() if story == "approvals" else None

    async def on_question(_context, params):
        return ElicitResult(**person.answer(params.model_dump(by_alias=True)))

    # Only who can be asked says so.
    asked = {"elicitation_callback": on_question} if person else {}
    async with Client(server, mode=mode, message_handler=adapter.on_message, **asked) as client:
        adapter.client = client
        if person:
            await approvals.run(adapter, "2025-11-25" if mode == "legacy" else "2026-07-28", component, person)
            return
        if mode == "legacy":
            await scenario.run(adapter, "2025-11-25", component)
            return
        opened = asyncio.Event()
        listening = asyncio.create_task(adapter.listen(opened))
        await asyncio.wait({listening, asyncio.create_task(opened.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()
        try:
            await scenario.run(adapter, "2026-07-28", component)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


asyncio.run(main())
