/**
 * Histories as the JSON that every Temporal tool reads. The SDK's own `historyToJSON` and `historyFromJSON` do not work
 * where npm has installed two copies of protobufjs for it, as here: a type of one copy is none to the other.
 */
import { createRequire } from 'node:module';
import type { temporal } from '@temporalio/proto';

type History = temporal.api.history.v1.IHistory;

// As @temporalio/proto sees them: the copy its types belong to.
const require = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
const proto = require('@temporalio/proto') as { temporal: { api: { history: { v1: { History: MessageType } } } } };
const { patchProtobufRoot } = require('@temporalio/proto/lib/patch-protobuf-root') as {
  patchProtobufRoot: (root: unknown) => { lookupType: (name: string) => unknown };
};
// A name and not a literal: it is that package's dependency, not ours.
const protoJson = 'protobufjs/ext/protojson';
const { toJson, fromJson } = require(protoJson) as {
  toJson: (type: unknown, message: unknown) => unknown;
  fromJson: (type: unknown, json: unknown) => History | null;
};
interface MessageType {
  fromObject(history: History): unknown;
}

const historyType = patchProtobufRoot(proto).lookupType('temporal.api.history.v1.History');

export const historyToJson = (history: History): unknown =>
  toJson(historyType, proto.temporal.api.history.v1.History.fromObject(history));

export function historyFromJson(json: unknown): History {
  const history = fromJson(historyType, json);
  if (!history) throw new TypeError('this is not a history');
  return history;
}
