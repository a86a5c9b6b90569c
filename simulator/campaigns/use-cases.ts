/** The use cases of US A2P campaigns. */

interface UseCase {
  code: string;
  name: string;
  /** Carriers approve it one by one, after the registry did. */
  postApproval?: true;
}

const USE_CASES: readonly UseCase[] = [
  { code: '2FA', name: 'Two-Factor authentication (2FA)' },
  { code: 'ACCOUNT_NOTIFICATION', name: 'Account Notification' },
  { code: 'AGENTS_FRANCHISES', name: 'Agents and Franchises', postApproval: true },
  { code: 'CHARITY', name: 'Charity' },
  { code: 'CUSTOMER_CARE', name: 'Customer Care' },
  { code: 'DELIVERY_NOTIFICATION', name: 'Delivery Notification' },
  { code: 'EMERGENCY', name: 'Emergency', postApproval: true },
  { code: 'FRAUD_ALERT', name: 'Fraud Alert Messaging' },
  { code: 'HIGHER_EDUCATION', name: 'Higher Education' },
  { code: 'K12_EDUCATION', name: 'K-12 Education', postApproval: true },
  { code: 'LOW_VOLUME', name: 'Low Volume Mixed' },
  { code: 'MARKETING', name: 'Marketing' },
  { code: 'MIXED', name: 'Mixed' },
  { code: 'POLITICAL', name: 'Political' },
  { code: 'POLLING_VOTING', name: 'Polling and voting' },
  { code: 'PROXY', name: 'Proxy', postApproval: true },
  { code: 'PUBLIC_SERVICE_ANNOUNCEMENT', name: 'Public Service Announcement' },
  { code: 'SECURITY_ALERT', name: 'Security Alert' },
  { code: 'SOCIAL', name: 'Social', postApproval: true },
  { code: 'SWEEPSTAKE', name: 'Sweepstake', postApproval: true },
];

/** Whether a standard brand may register it. */
export function isUseCase(code: string): boolean {
  return USE_CASES.some((useCase) => useCase.code === code);
}

/** All of them as `…/Usa2p/Usecases` answers them. */
export function useCaseAnswers(): Record<string, unknown>[] {
  return USE_CASES.map(({ code, name, postApproval }) => ({
    code,
    name,
    description: name,
    post_approval_required: postApproval === true,
  }));
}
