// What becomes of a person's yes and no, whichever SDK puts the question and whichever revision carries it: the SDK's own
// handler of elicitations answers, and the server does what was said and nothing else. It must never know an SDK.
// `approvals.py` is the same for Python.
//
// The server's store is empty; `component` is the path of the guest `files`, which is loaded here. The adapter is that of
// scenario.mjs, and `person` answers for it.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from './scenario.mjs';

const LASTING = ['allow once', 'allow until the server stops', 'allow for one hour', 'allow always', 'deny'];
const DECLINE = { action: 'decline' };
const CANCEL = { action: 'cancel' };
const choose = (decision) => ({ action: 'accept', content: { decision } });

// Whoever sits at the client: gives the answer that the story wants next, and keeps the questions.
export class Person {
  #questions = [];
  #answer;

  // For the SDK's handler: the parameters of `elicitation/create`, and its result.
  answer({ message, requestedSchema }) {
    this.#questions.push({ message, schema: requestedSchema });
    assert.ok(this.#answer, `nobody expects a question now: ${message}`);
    return this.#answer;
  }

  // What `act` gives, while exactly one question comes and is given `answer`; and that question.
  async asked(answer, act) {
    this.#answer = answer;
    const result = await act();
    this.#answer = undefined;
    assert.equal(this.#questions.length, 1, `one question: ${text(result)}`);
    return [result, this.#questions.pop()];
  }

  // What `act` gives, while no question comes.
  async unasked(act) {
    const result = await act();
    assert.deepEqual(this.#questions, [], 'no question');
    return result;
  }
}

export async function run(adapter, { revision, component, person }) {
  assert.equal(adapter.protocol(), revision, 'the negotiated revision');
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'wassette-approvals-')));
  try {
    const story = new Story(adapter, person, folder);
    await story.loads(component);
    await story.asksAtNeed();
    await story.asksForARequest();
    await story.unloads();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

class Story {
  constructor(adapter, person, folder) {
    Object.assign(this, { adapter, person, folder });
  }

  async loads(component) {
    const load = () => this.adapter.callTool('load-component', { path: component });
    const [loaded, question] = await this.person.asked(choose('allow'), load);
    isDone(loaded);
    for (const part of ['`files`', component, 'sha256:']) assert.ok(question.message.includes(part), question.message);
    assert.deepEqual(question.schema.properties.decision.enum, ['allow', 'deny']);
    assert.deepEqual(question.schema.required, ['decision']);

    const other = () => this.adapter.callTool('load-component', { path: component.replace('files.wasm', 'zoo.wasm') });
    const [refused] = await this.person.asked(DECLINE, other);
    isRefused(refused);
    const listed = await this.person.unasked(() => this.adapter.callTool('list-components', {}));
    assert.ok(text(listed).includes('"files"') && !text(listed).includes('"zoo"'), text(listed));
  }

  async asksAtNeed() {
    const [session, once, never] = ['session', 'once', 'never'].map((name) => this.file(name));
    const [read, question] = await this.person.asked(choose('allow until the server stops'), () => this.read(session));
    assert.deepEqual(read.structuredContent, { result: 'session' }, 'the call ran again, with what it needs');
    assert.ok(question.message.includes(session) && question.message.includes('sha256:'), question.message);
    assert.deepEqual(question.schema.properties.decision.enum, LASTING);
    const again = await this.person.unasked(() => this.read(session));
    assert.deepEqual(again.structuredContent, { result: 'session' });

    const [single] = await this.person.asked(choose('allow once'), () => this.read(once));
    assert.deepEqual(single.structuredContent, { result: 'once' });
    isRefused((await this.person.asked(CANCEL, () => this.read(once)))[0]);

    isRefused((await this.person.asked(DECLINE, () => this.read(never)))[0]);
    isRefused(await this.person.unasked(() => this.read(never)));
    const policy = await this.policy();
    assert.ok(policy.includes(session), policy);
    for (const path of [once, never]) assert.ok(!policy.includes(path), policy);
  }

  async asksForARequest() {
    const [granted, refused, cancelled] = ['granted', 'refused', 'cancelled'].map((name) => this.file(name));
    const wants = (path) => ({ uri: `fs://${path}`, access: ['read'] });
    const request = () => this.adapter.callTool('request-permission', {
      component_id: 'files',
      reason: 'the report needs it',
      permissions: { storage: { allow: [wants(refused)] } },
    });
    const [no, question] = await this.person.asked(choose('deny'), request);
    isRefused(no);
    assert.ok(question.message.includes('the report needs it') && question.message.includes(refused), question.message);
    isRefused(await this.person.unasked(request));

    const grant = (path) => () => this.adapter.callTool('grant-storage-permission', { component_id: 'files', details: wants(path) });
    isRefused((await this.person.asked(CANCEL, grant(cancelled)))[0]);
    isDone((await this.person.asked(choose('allow always'), grant(granted)))[0]);
    const policy = await this.policy();
    assert.ok(policy.includes(granted), policy);
    for (const path of [refused, cancelled]) assert.ok(!policy.includes(path), policy);
    const read = await this.person.unasked(() => this.read(granted));
    assert.deepEqual(read.structuredContent, { result: 'granted' });
  }

  // The component's policy goes with it, which is a reason to ask.
  async unloads() {
    const unload = () => this.adapter.callTool('unload-component', { id: 'files' });
    isRefused((await this.person.asked(choose('deny'), unload))[0]);
    assert.ok((await this.policy()).includes(this.folder), 'the policy is still there');
  }

  // A file that holds its own name.
  file(name) {
    const path = join(this.folder, name);
    writeFileSync(path, name);
    return path;
  }

  read(path) {
    return this.adapter.callTool('test_files_files_read_file', { path });
  }

  async policy() {
    return text(await this.person.unasked(() => this.adapter.callTool('get-policy', { component_id: 'files' })));
  }
}

function isDone(result) {
  assert.ok(!result.isError, text(result));
}

function isRefused(result) {
  assert.equal(result.isError, true, text(result));
  assert.equal(result.structuredContent, undefined, text(result));
}
