/** The named permissions (I1), and what a route may ask of its caller. */

export const permissions = [
  'registration:manage',
  'numbers:manage',
  'messages:send',
  'messages:bulk',
  'mass-sms:send',
  'mass-sms:manage',
  'contacts:manage',
  'jobs:confidential',
  'settings:manage',
  'usage:read',
] as const;
export type Permission = (typeof permissions)[number];

/**
 * Who may call a route: `public` anyone, `operator` operator keys only, `member` any key that acts in an organization,
 * or a permission that the key (and the user it acts as) must have.
 */
export type Access = 'public' | 'operator' | 'member' | Permission;
