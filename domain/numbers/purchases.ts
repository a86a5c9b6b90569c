/** Why a phone number was not bought for somebody, in words for programs and for people. */

export const purchaseFailures = {
  has_line: 'This user has a line already: release it, or take the user off it, first.',
  purchase_under_way: 'A number is being bought for this user already: wait for that run.',
  user_inactive: 'Only active users get a line: make this user active (PATCH /v1/users/{id}), or leave them out.',
  no_mobile: 'The area code was to match the mobile number of this user, who has none: add it, or name an area code.',
  mobile_without_area_code:
    'The mobile number of this user has no area code of the United States or Canada: name an area code.',
  no_numbers:
    'No number is on sale in this area code: ask again with allowNearby for those near it, or name another area code.',
  number_not_available: 'This number is not on sale any more: search again and choose another one.',
  refused_by_twilio: 'Twilio refused to sell a number: look at its code and mend what it is about, then buy again.',
  cancelled:
    'The run was cancelled, and no number was recorded for this user by then: ask again for those users who still need one.',
  gave_up:
    "Twilio could not be asked, again and again: check GET /v1/module and Twilio's status, then ask again for these users.",
} as const;

export type PurchaseFailure = keyof typeof purchaseFailures;

/** How a purchase is marked at Twilio, where it is the name of the number: by this it is found again after a crash. */
export const purchaseTag = (purchaseId: string): string => `Longwave ${purchaseId}`;

/** The purchase that a number at Twilio is marked with, or null. */
export const purchaseOfTag = (friendlyName: string): string | null =>
  /^Longwave (npu_[0-9a-f-]{36})$/.exec(friendlyName)?.[1] ?? null;
