/**
 * A launcher of its own, to be killed: runs a stack of stand-ins on the ports it is given, prints the process numbers as
 * JSON, and stops as `npm start` does.
 */
import { startStack, type Component } from '../../../launcher/stack.ts';
import { readSettings } from '../../../launcher/support/settings.ts';
import { onEnd } from '../../../launcher/support/signals.ts';
import { programs } from '../programs.ts';

const parts: Component[] = ['postgres', 'temporal', 'simulator', 'worker', 'api'];
const { data, ports } = readSettings();
const stack = await startStack({ data, ports, programs, parts, ui: false, durable: false, report: () => {} });
onEnd({ stop: () => stack.stop(), kill: () => stack.kill(), report: () => {} });
const pids = Object.fromEntries(parts.map((part) => [part, stack.pid(part)]));
process.stdout.write(`${JSON.stringify(pids)}\n`);
