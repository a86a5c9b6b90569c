/** `npm start`: the whole stack on this machine, with real time. */
import { runStack } from './support/run-stack.ts';

await runStack({ timeSkipping: false, hints: () => [] });
