/** Customer profiles and trust products: bundles of end users, documents and other bundles, judged by a policy. */
import type { EvaluationResult } from './evaluation.ts';

export type BundleKind = 'customerProfile' | 'trustProduct';
export type BundleStatus = 'draft' | 'pending-review' | 'in-review' | 'twilio-rejected' | 'twilio-approved';

/** Twilio's policies, by what they judge. */
export const POLICIES = {
  primaryProfile: 'RN6433641899984f951173ef1738c3bdd0',
  secondaryProfile: 'RNdfbf3fae0e1107f8aded0e7cead80bf5',
  a2pTrustProduct: 'RNb0d4771c2c98518d916a3d4cd70a8f8b',
} as const;

export interface Assignment {
  sid: string;
  objectSid: string;
  /** Epoch milliseconds. */
  createdAt: number;
}

export interface Evaluation {
  sid: string;
  policySid: string;
  status: 'compliant' | 'noncompliant';
  results: EvaluationResult[];
  createdAt: number;
}

export interface Bundle {
  sid: string;
  accountSid: string;
  kind: BundleKind;
  friendlyName: string;
  email: string;
  policySid: string;
  statusCallback: string | null;
  status: BundleStatus;
  /** Why it was rejected; null when it was not. */
  errors: { code: number }[] | null;
  assignments: Assignment[];
  evaluations: Evaluation[];
  /** What Twilio does by itself with a submitted bundle, and when; null when nothing is left to do. Epoch milliseconds. */
  review: { startsAt: number; endsAt: number } | null;
  /** Epoch milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** How operations, paths and answers name a kind. */
export interface KindNames {
  kind: BundleKind;
  operation: 'CustomerProfile' | 'TrustProduct';
  path: 'CustomerProfiles' | 'TrustProducts';
  /** Of the bundle in answers of what belongs to it. */
  sidField: 'customer_profile_sid' | 'trust_product_sid';
  linkPrefix: 'customer_profiles' | 'trust_products';
  policies: readonly string[];
}

export const CUSTOMER_PROFILE: KindNames = {
  kind: 'customerProfile',
  operation: 'CustomerProfile',
  path: 'CustomerProfiles',
  sidField: 'customer_profile_sid',
  linkPrefix: 'customer_profiles',
  policies: [POLICIES.primaryProfile, POLICIES.secondaryProfile],
};
export const TRUST_PRODUCT: KindNames = {
  kind: 'trustProduct',
  operation: 'TrustProduct',
  path: 'TrustProducts',
  sidField: 'trust_product_sid',
  linkPrefix: 'trust_products',
  policies: [POLICIES.a2pTrustProduct],
};

/** Address of a bundle on Twilio's host. */
export function bundleUrl({ path }: KindNames, sid: string): string {
  return `https://trusthub.twilio.com/v1/${path}/${sid}`;
}
