/** Phone numbers that tests make up. */
import { randomInt } from 'node:crypto';

let last = randomInt(2_000_000, 8_000_000);

/** E.164, and another one with every call in this process: numbers drawn by lot would meet now and then. */
export const somePhone = (areaCode = '312'): string => {
  last += 1;
  return `+1${areaCode}${last}`;
};
