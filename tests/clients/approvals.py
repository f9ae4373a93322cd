"""What becomes of a person's yes and no, whichever SDK puts the question and whichever revision carries it.
`approvals.mjs` is the same for JavaScript, with its reasons.

The server's store is empty; `component` is the path of the guest `files`. The adapter is that of scenario.py, and
`person` answers for it.
"""

import pathlib
import tempfile

from scenario import check, check_equal, text

LASTING = ["allow once", "allow until the server stops", "allow for one hour", "allow always", "deny"]
DECLINE = {"action": "decline"}
CANCEL = {"action": "cancel"}


def choose(decision):
    return {"action": "accept", "content": {"decision": decision}}


class Person:
    """Whoever sits at the client: gives the answer that the story wants next, and keeps the questions."""

    def __init__(self):
        self._questions = []
        self._answer = None

    def answer(self, params):
        """For the SDK's callback: the parameters of `elicitation/create` as JSON, and its result as JSON."""
        self._questions.append(params)
        check(self._answer is not None, f"nobody expects a question now: {params['message']}")
        return self._answer

    async def asked(self, answer, act):
        """What `act` gives, while exactly one question comes and is given `answer`; and that question."""
        self._answer = answer
        result = await act()
        self._answer = None
        check_equal(len(self._questions), 1, f"one question: {text(result)}")
        return result, self._questions.pop()

    async def unasked(self, act):
        """What `act` gives, while no question comes."""
        result = await act()
        check_equal(self._questions, [], "no question")
        return result


async def run(adapter, revision, component, person):
    check_equal(adapter.protocol, revision, "the negotiated revision")
    with tempfile.TemporaryDirectory(prefix="wassette-approvals-") as folder:
        story = Story(adapter, person, pathlib.Path(folder).resolve())
        await story.loads(component)
        await story.asks_at_need()
        await story.asks_for_a_request()
        await story.unloads()


class Story:
    def __init__(self, adapter, person, folder):
        self.adapter = adapter
        self.person = person
        self.folder = folder

    async def loads(self, component):
        loaded, question = await self.person.asked(choose("allow"), self.call("load-component", path=component))
        is_done(loaded)
        for part in ("`files`", component, "sha256:"):
            check(part in question["message"], question["message"])
        schema = question["requestedSchema"]
        check_equal(schema["properties"]["decision"]["enum"], ["allow", "deny"], "the choices")
        check_equal(schema["required"], ["decision"], "what is required")

        other = component.replace("files.wasm", "zoo.wasm")
        refused, _ = await self.person.asked(DECLINE, self.call("load-component", path=other))
        is_refused(refused)
        listed = text(await self.person.unasked(self.call("list-components")))
        check('"files"' in listed and '"zoo"' not in listed, listed)

    async def asks_at_need(self):
        session, once, never = (self.file(name) for name in ("session", "once", "never"))
        read, question = await self.person.asked(choose("allow until the server stops"), self.read(session))
        check_equal(read.get("structuredContent"), {"result": "session"}, "the call ran again, with what it needs")
        check(session in question["message"] and "sha256:" in question["message"], question["message"])
        check_equal(question["requestedSchema"]["properties"]["decision"]["enum"], LASTING, "the choices")
        again = await self.person.unasked(self.read(session))
        check_equal(again.get("structuredContent"), {"result": "session"}, "a grant as long as the server runs")

        single, _ = await self.person.asked(choose("allow once"), self.read(once))
        check_equal(single.get("structuredContent"), {"result": "once"}, "a grant for one call")
        is_refused((await self.person.asked(CANCEL, self.read(once)))[0])

        is_refused((await self.person.asked(DECLINE, self.read(never)))[0])
        is_refused(await self.person.unasked(self.read(never)))
        policy = await self.policy()
        check(session in policy, policy)
        check(once not in policy and never not in policy, policy)

    async def asks_for_a_request(self):
        granted, refused, cancelled = (self.file(name) for name in ("granted", "refused", "cancelled"))
        request = self.call(
            "request-permission",
            component_id="files",
            reason="the report needs it",
            permissions={"storage": {"allow": [wants(refused)]}},
        )
        no, question = await self.person.asked(choose("deny"), request)
        is_refused(no)
        check("the report needs it" in question["message"] and refused in question["message"], question["message"])
        is_refused(await self.person.unasked(request))

        def grant(path):
            return self.call("grant-storage-permission", component_id="files", details=wants(path))

        is_refused((await self.person.asked(CANCEL, grant(cancelled)))[0])
        is_done((await self.person.asked(choose("allow always"), grant(granted)))[0])
        policy = await self.policy()
        check(granted in policy, policy)
        check(refused not in policy and cancelled not in policy, policy)
        read = await self.person.unasked(self.read(granted))
        check_equal(read.get("structuredContent"), {"result": "granted"}, "a grant for good")

    async def unloads(self):
        """The component's policy goes with it, which is a reason to ask."""
        is_refused((await self.person.asked(choose("deny"), self.call("unload-component", id="files")))[0])
        check(str(self.folder) in await self.policy(), "the policy is still there")

    def file(self, name):
        """A file that holds its own name."""
        path = self.folder / name
        path.write_text(name)
        return str(path)

    def call(self, name, **arguments):
        return lambda: self.adapter.call_tool(name, arguments)

    def read(self, path):
        return self.call("test_files_files_read_file", path=path)

    async def policy(self):
        return text(await self.person.unasked(self.call("get-policy", component_id="files")))


def wants(path):
    return {"uri": f"fs://{path}", "access": ["read"]}


def is_done(result):
    check(not result.get("isError"), text(result))


def is_refused(result):
    check(result.get("isError") is True, text(result))
    check(result.get("structuredContent") is None, text(result))
