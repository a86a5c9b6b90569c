/** What a message is for; consent is kept per purpose. */
export const purposes = ['transactional', 'promotional'] as const;
export type Purpose = (typeof purposes)[number];
