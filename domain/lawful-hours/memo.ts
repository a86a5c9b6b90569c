/** Answers that are asked for again and again: the same few hundred places for 25,000 recipients. */

/**
 * `make`, remembered by a key of its argument. Everything is forgotten once there are `limit` answers, so that no input
 * fills the memory.
 *
 * @param make must depend on nothing but what the key tells
 */
export function remembered<Argument, Value>(
  limit: number,
  make: (argument: Argument) => Value,
  keyOf: (argument: Argument) => unknown = (argument) => argument,
): (argument: Argument) => Value {
  const known = new Map<unknown, Value>();
  return (argument) => {
    const key = keyOf(argument);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= limit) known.clear();
    const made = make(argument);
    known.set(key, made);
    return made;
  };
}
