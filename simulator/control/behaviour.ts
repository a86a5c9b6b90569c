/** `GET /control/behaviour` and `PUT /control/behaviour`, which changes what it names and leaves the rest. */
import { behaviourChange, merged } from '../faults.ts';
import { operationOf } from '../http/held-answers.ts';
import { operationTable } from '../openapi/table.ts';
import { check, ControlError, type ControlAnswer, type ControlCall } from './route.ts';

export function readBehaviour({ world }: ControlCall): ControlAnswer {
  return { status: 200, body: world.behaviour };
}

export function writeBehaviour({ world, body }: ControlCall): ControlAnswer {
  const change = check(behaviourChange, body);
  const unknown = change.holdAnswers?.find((entry) => !operationTable().byId.has(operationOf(entry) ?? ''));
  if (unknown !== undefined) {
    throw new ControlError(400, `holdAnswers: Twilio's documents have no operation ${unknown}`);
  }
  world.behaviour = merged(world.behaviour, change);
  return { status: 200, body: world.behaviour };
}
