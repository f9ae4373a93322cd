"""Tells a story with the Python SDK 1.x: revisions up to 2025-11-25.

    python py_mcp1.py tools|approvals COMPONENT stdio PROGRAM [ARGUMENT...]
    python py_mcp1.py tools|approvals COMPONENT http URL
"""

import asyncio
import sys

from mcp import ClientSession, McpError, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

import approvals
import scenario

story, component, kind, target, *rest = sys.argv[1:]


class Adapter:
    def __init__(self):
        self.session = None
        self.protocol = None
        self.changes = 0

    async def on_message(self, message):
        if isinstance(message, types.ServerNotification) and isinstance(message.root, types.ToolListChangedNotification):
            self.changes += 1

    async def list_tools(self):
        tools, cursor = [], None
        while True:
            page = await self.session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            tools += [tool.model_dump(by_alias=True, exclude_none=True) for tool in page.tools]
            cursor = page.nextCursor
            if cursor is None:
                return tools

    async def call_tool(self, name, arguments, on_progress=None):
        try:
            result = await self.session.call_tool(name, arguments, progress_callback=on_progress)
        except McpError as error:
            raise scenario.Refused(error.error.code) from error
        # `exclude_unset`, for a null inside a tool's result is a value.
        return result.model_dump(by_alias=True, exclude_unset=True)

    async def call_and_cancel(self, name, arguments, after):
        # This SDK tells the server nothing when a caller gives up, so its cancellation is written by hand.
        request = self.session._request_id
        call = asyncio.create_task(self.session.call_tool(name, arguments))
        await asyncio.sleep(after)
        cancelled = types.CancelledNotificationParams(requestId=request, reason="enough")
        await self.session.send_notification(
            types.ClientNotification(types.CancelledNotification(method="notifications/cancelled", params=cancelled))
        )
        await asyncio.sleep(after)
        answered = call.done()
        call.cancel()
        return not answered


async def drive(reader, writer):
    adapter = Adapter()
    person = approvals.Person() if story == "approvals" else None

    async def on_question(_context, params):
        return types.ElicitResult(**person.answer(params.model_dump(by_alias=True)))

    # Only who can be asked says so.
    asked = {"elicitation_callback": on_question} if person else {}
    async with ClientSession(reader, writer, message_handler=adapter.on_message, **asked) as session:
        adapter.session = session
        adapter.protocol = (await session.initialize()).protocolVersion
        if person:
            await approvals.run(adapter, "2025-11-25", component, person)
        else:
            await scenario.run(adapter, "2025-11-25", component)
        await session.send_ping()


async def main():
    if kind == "stdio":
        async with stdio_client(StdioServerParameters(command=target, args=rest)) as (reader, writer):
            await drive(reader, writer)
    else:
        async with streamablehttp_client(target) as (reader, writer, _):
            await drive(reader, writer)


asyncio.run(main())
