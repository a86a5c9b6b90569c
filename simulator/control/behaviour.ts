/** `GET /control/behaviour` and `PUT /control/behaviour`, which changes what it names and leaves the rest. */
import { behaviourChange, merged } from '../faults.ts';
import { check, type ControlAnswer, type ControlCall } from './route.ts';

export function readBehaviour({ world }: ControlCall): ControlAnswer {
  return { status: 200, body: world.behaviour };
}

export function writeBehaviour({ world, body }: ControlCall): ControlAnswer {
  world.behaviour = merged(world.behaviour, check(behaviourChange, body));
  return { status: 200, body: world.behaviour };
}
