// Does with the vendor's client what users of the server do, against the server of the URL given. Ends with
// `witnessed` and 0 when all went as with the real server.
"use strict";

const assert = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const {
  ANY, BACKWARDS, END, EventStoreDBClient, NO_STREAM, START, StreamDeletedError, StreamNotFoundError,
  WrongExpectedVersionError, eventTypeFilter, jsonEvent, streamNameFilter,
} = require("@eventstore/db-client");

const client = EventStoreDBClient.connectionString(process.argv[2]);
const run = randomUUID().replaceAll("-", "");
const happened = (n) => jsonEvent({ id: randomUUID(), type: "happened", data: { n }, metadata: { by: "node" } });

async function all(events) {
  const found = [];
  for await (const { event } of events) found.push(event);
  return found;
}

async function refused(call, kind, matches = {}) {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name} is no ${kind.name}: ${error.message}`);
    for (const [name, value] of Object.entries(matches)) assert.equal(String(error[name]), String(value), name);
    return true;
  });
}

const steps = {
  async "append and read"() {
    const written = await client.appendToStream(`${run}a-1`, [0, 1, 2].map(happened), { expectedRevision: NO_STREAM });
    assert.ok(written.success);
    assert.equal(written.nextExpectedRevision, 2n);
    const read = await all(client.readStream(`${run}a-1`));
    assert.deepEqual(read.map((event) => [event.revision, event.type, event.data.n, event.metadata.by]), [
      [0n, "happened", 0, "node"], [1n, "happened", 1, "node"], [2n, "happened", 2, "node"],
    ]);
    assert.equal(read[2].position.commit, written.position.commit);
    const back = await all(client.readStream(`${run}a-1`, { direction: BACKWARDS, fromRevision: END, maxCount: 2 }));
    assert.deepEqual(back.map((event) => event.revision), [2n, 1n]);
    const part = await all(client.readStream(`${run}a-1`, { fromRevision: 1n, maxCount: 1 }));
    assert.deepEqual(part.map((event) => event.revision), [1n]);
    await refused(() => all(client.readStream(`${run}none`)), StreamNotFoundError);
  },

  // The client appends by the newer of two calls; with credentials of their own, by the older one.
  async "conflicts"() {
    const credentials = { username: "admin", password: "changeit" };
    for (const options of [{}, { credentials }]) {
      const wrong = (expectedRevision) =>
        client.appendToStream(`${run}a-1`, [happened(9)], { expectedRevision, ...options });
      await refused(() => wrong(1n), WrongExpectedVersionError, { expectedVersion: 1n, actualVersion: 2n });
      await refused(() => wrong(NO_STREAM), WrongExpectedVersionError, { actualVersion: 2n });
      await refused(() => wrong(7n), WrongExpectedVersionError, { expectedVersion: 7n, actualVersion: 2n });
    }
  },

  async "the same events again"() {
    const events = [happened(0), happened(1)];
    const append = () => client.appendToStream(`${run}b-1`, events, { expectedRevision: NO_STREAM });
    const first = await append();
    const again = await append();
    assert.equal(again.nextExpectedRevision, first.nextExpectedRevision);
    assert.equal(again.position.commit, first.position.commit);
    assert.equal((await all(client.readStream(`${run}b-1`))).length, 2);
  },

  // This client sends filters with subscriptions alone, not with reads.
  async "the log, by stream and by type"() {
    await client.appendToStream(`${run}c-1`, [jsonEvent({ type: `other-${run}`, data: {} })]);
    const filters = [
      [streamNameFilter({ prefixes: [`${run}a-`, `${run}b-`] }), ["a-1", "a-1", "a-1", "b-1", "b-1"]],
      [streamNameFilter({ regex: `^${run}[bc]-` }), ["b-1", "b-1", "c-1"]],
      [eventTypeFilter({ prefixes: ["other-"] }), ["c-1"]],
      [eventTypeFilter({ regex: `${run}$` }), ["c-1"]],
    ];
    for (const [filter, streams] of filters) {
      const told = [];
      for await (const { event } of client.subscribeToAll({ filter, fromPosition: START })) {
        told.push(event.streamId.slice(run.length));
        if (told.length === streams.length) break;
      }
      assert.deepEqual(told, streams);
    }
    const everything = await all(client.readAll());
    const from = everything[2].position;
    assert.equal((await all(client.readAll({ fromPosition: from, maxCount: 1 })))[0].id, everything[2].id);
    const before = await all(client.readAll({ fromPosition: from, direction: BACKWARDS, maxCount: 1 }));
    assert.equal(before[0].id, everything[1].id);
  },

  async "catching up and following"() {
    const checkpoints = [];
    const checkpointReached = async (_, position) => checkpoints.push(position.commit);
    const filter = streamNameFilter({ prefixes: [`${run}a-`], checkpointReached });
    const subscription = client.subscribeToAll({ filter, fromPosition: START });
    const caughtUp = new Promise((resolve) => subscription.once("caughtUp", resolve));
    const told = [];
    for await (const { event } of subscription) {
      told.push(event.revision);
      if (told.length === 3) {
        caughtUp.then(() => client.appendToStream(`${run}a-1`, [happened(3)], { expectedRevision: 2n }));
      }
      if (told.length === 4) break;
    }
    assert.deepEqual(told, [0n, 1n, 2n, 3n]);
    assert.equal(checkpoints.length, 1);
    const stream = client.subscribeToStream(`${run}a-1`, { fromRevision: 2n });
    for await (const { event } of stream) {
      assert.equal(event.revision, 3n);
      break;
    }
  },

  async "soft deletes"() {
    await client.deleteStream(`${run}b-1`, { expectedRevision: 1n });
    await refused(() => all(client.readStream(`${run}b-1`)), StreamNotFoundError);
    const anew = await client.appendToStream(`${run}b-1`, [happened(5)], { expectedRevision: NO_STREAM });
    assert.equal(anew.nextExpectedRevision, 2n);
    assert.deepEqual((await all(client.readStream(`${run}b-1`))).map((event) => event.revision), [2n]);
    assert.equal((await client.getStreamMetadata(`${run}b-1`)).metadata.truncateBefore, 2);
    await refused(() => client.deleteStream(`${run}b-1`, { expectedRevision: 0n }), WrongExpectedVersionError);
  },

  async "tombstones"() {
    await client.tombstoneStream(`${run}b-1`, { expectedRevision: ANY });
    await refused(() => all(client.readStream(`${run}b-1`)), StreamDeletedError, { streamName: `${run}b-1` });
    const append = () => client.appendToStream(`${run}b-1`, [happened(6)], { expectedRevision: ANY });
    await refused(append, StreamDeletedError, { streamName: `${run}b-1` });
  },
};

async function main() {
  for (const [name, step] of Object.entries(steps)) {
    await step().catch((error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    });
  }
  await client.dispose();
  console.log("witnessed");
}

main().then(() => process.exit(0), (error) => { console.error(error); process.exit(1); });
