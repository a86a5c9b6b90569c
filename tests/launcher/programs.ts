/** Stand-ins for the product's processes: the launcher is tested without the product. */
import { fileURLToPath } from 'node:url';

const standIn = (url: URL) => fileURLToPath(url);

export const programs = {
  api: standIn(new URL('./stand-ins/api.ts', import.meta.url)),
  simulator: standIn(new URL('./stand-ins/simulator.ts', import.meta.url)),
  worker: standIn(new URL('./stand-ins/worker.ts', import.meta.url)),
};

/** Ends at once, with a reason. */
export const broken = standIn(new URL('./stand-ins/broken.ts', import.meta.url));

/** Runs a stack of the above and prints its process numbers. */
export const launcher = standIn(new URL('./stand-ins/launcher.ts', import.meta.url));
