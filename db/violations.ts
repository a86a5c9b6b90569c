/** Constraints as the last judge between two at once. */

/** Whether Postgres refused a row because another one has what must be unique. @param constraint its name */
export const violates = (error: unknown, constraint: string): boolean => {
  const { code, constraint: name } = error as { code?: unknown; constraint?: unknown };
  return code === '23505' && name === constraint;
};

/** Whether a lock was waited for in vain: somebody holds it for longer than `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === '55P03';
