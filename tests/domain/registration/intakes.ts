/** Complete questionnaires of honest companies, none of which preflight may refuse. */
import type { Intake } from '../../../domain/registration/intake.ts';
import type { PreflightContext } from '../../../domain/registration/preflight.ts';

interface Case {
  intake: Intake;
  context: PreflightContext;
}

const common = {
  businessType: 'Corporation',
  registrationIdentifier: 'EIN',
  regionsOfOperation: ['USA_AND_CANADA'],
  companyType: 'private',
  useCase: 'LOW_VOLUME',
  hasEmbeddedLinks: false,
  hasEmbeddedPhone: false,
  ageGated: false,
  directLending: false,
} as const satisfies Partial<Omit<Intake, 'regionsOfOperation'>> & { regionsOfOperation: readonly string[] };

const staffing: Case = {
  context: { organization: { name: 'Bluebird Staffing', domain: 'bluebirdstaffing.com' }, hasEvidence: true },
  intake: {
    ...common,
    regionsOfOperation: ['USA_AND_CANADA'],
    legalName: 'Bluebird Staffing',
    registrationNumber: '47-3829105',
    industry: 'PROFESSIONAL_SERVICES',
    website: 'https://www.bluebirdstaffing.com',
    address: {
      street: '410 Box Elder Road',
      street2: 'Suite 200',
      city: 'Austin',
      region: 'TX',
      postalCode: '78701',
      country: 'US',
    },
    representative: {
      firstName: 'Rosa',
      lastName: 'Sloan',
      email: 'rosa.sloan@bluebirdstaffing.com',
      phone: '+15125550144',
      title: 'Operations Manager',
      jobPosition: 'GM',
    },
    description:
      'Bluebird Staffing texts job seekers who applied on its website or in its offices about matching jobs, interviews, shifts and paydays, and answers their questions. We do not text about loans, alcohol or gambling.',
    messageFlow:
      'Applicants fill in the form at https://www.bluebirdstaffing.com/apply and may tick an optional box that is not pre-checked: "I agree to receive text messages about jobs from Bluebird Staffing. Message frequency varies. Message and data rates may apply. Reply STOP to opt out, HELP for help." Mobile numbers are never shared with third parties.',
    messageSamples: [
      'Bluebird Staffing: 2 new jobs near you, [job title] and [job title]. Payday is every Friday. See https://www.bluebirdstaffing.com/jobs/[id]. Reply STOP to opt out.',
      'Hi [name], this is [recruiter] of Bluebird. Can you stop by our office at 9:30 on [date]? A drug and alcohol screening is part of it. Questions? Call (512) 555-0144. Text STOP to end.',
      'Bluebird Staffing: your shift at [site] starts at [time]. Bring a nail gun and steel-toe boots. Reply STOP to unsubscribe.',
    ],
    hasEmbeddedLinks: true,
    hasEmbeddedPhone: true,
    privacyPolicyUrl: 'https://www.bluebirdstaffing.com/privacy',
    termsUrl: 'https://www.bluebirdstaffing.com/terms',
    optInMessage:
      'Bluebird Staffing: you will get texts about jobs. Message frequency varies. Message and data rates may apply. Reply HELP for help, STOP to opt out.',
    optInKeywords: ['JOBS', 'YES'],
  },
};

const autoRepair: Case = {
  context: { organization: { name: "Sam's Auto Repair", domain: 'samsauto.ca' }, hasEvidence: true },
  intake: {
    ...common,
    regionsOfOperation: ['USA_AND_CANADA'],
    legalName: "Sam's Auto Repair",
    registrationIdentifier: 'CBN',
    registrationNumber: '812345678',
    industry: 'AUTOMOTIVE',
    website: 'https://samsauto.ca',
    address: { street: '88 Post Road', city: 'Hamilton', region: 'ON', postalCode: 'L8P 1A1', country: 'CA' },
    representative: {
      firstName: 'Sam',
      lastName: 'Gunn',
      email: 'sam@shop.samsauto.ca',
      phone: '+1 905 555 0170',
      title: 'Owner',
      jobPosition: 'Director',
    },
    description:
      "Sam's Auto Repair texts customers who left their car and agreed to messages at the counter: when the car is ready, and when the next service is due.",
    messageFlow:
      'At the counter customers sign a paper form with an empty box: "Sam\'s Auto Repair may text me about my car, about 3 messages per visit. Msg & data rates may apply. Reply STOP to opt out or HELP for help."',
    messageSamples: [
      "Sam's Auto: your [model] is ready. The loaner car can be parked in lot B. Order 4719305562. Reply STOP to opt out",
      'SAMS AUTO REPAIR - 10% off your next oil change until 2026-12-24. We cover roadside breakdowns 24/7. Txt STOP to stop',
    ],
    privacyPolicyUrl: 'https://samsauto.ca/privacy',
    termsUrl: 'https://samsauto.ca/terms',
  },
};

const creditUnion: Case = {
  context: { organization: { name: 'Prairie Credit Union', domain: 'prairiecu.org' }, hasEvidence: true },
  intake: {
    ...common,
    regionsOfOperation: ['USA_AND_CANADA'],
    legalName: 'Prairie Federal Credit Union',
    businessType: 'Co-operative',
    registrationNumber: '420019283',
    industry: 'FINANCIAL',
    website: 'https://prairiecu.org/',
    companyType: 'non-profit',
    address: { street: '5 Mortgage Lane', city: 'Omaha', region: 'NE', postalCode: '68102', country: 'US' },
    representative: {
      firstName: 'Lee',
      lastName: 'Okafor',
      email: 'lee@prairiecu.org',
      phone: '(402) 555-0199',
      title: 'Chief Financial Officer',
      jobPosition: 'CFO',
    },
    useCase: 'ACCOUNT_NOTIFICATION',
    description:
      'Prairie Credit Union texts its members, who asked for it in online banking, about their accounts, payments of their car loans and mortgages from us, and appointments.',
    messageFlow:
      'Members log in at prairiecu.org, open Alerts and switch on "Text alerts": "By switching this on you agree to recurring SMS from Prairie Credit Union. Data rates may apply. Reply HELP for help or STOP to cancel." The switch is off by default. We do not sell or share numbers with third-party lenders, affiliates or partners.',
    messageSamples: [
      'Prairie CU: your loan payment of $[amount] is due on [date]. Reply STOP to opt out.',
      'Prairie Federal Credit Union: a mortgage document is waiting for you in online banking. STOP to end, HELP for help.',
    ],
    directLending: true,
    privacyPolicyUrl: 'https://prairiecu.org/privacy',
    termsUrl: 'https://prairiecu.org/terms',
  },
};

const brewery: Case = {
  context: { organization: { name: 'Harbor Brewing', domain: 'harborbrewing.com' }, hasEvidence: true },
  intake: {
    ...common,
    regionsOfOperation: ['USA_AND_CANADA'],
    legalName: 'Harbor Brewing Company',
    businessType: 'Limited Liability Corporation',
    registrationNumber: '83-1120946',
    industry: 'FOOD_AND_BEVERAGE',
    website: 'https://harborbrewing.com',
    address: { street: '1 Pier Street', city: 'Portland', region: 'ME', postalCode: '04101', country: 'US' },
    representative: {
      firstName: 'Ida',
      lastName: 'Bell',
      email: 'ida@harborbrewing.com',
      phone: '207-555-0123',
      title: 'Owner',
      jobPosition: 'CEO',
    },
    useCase: 'MARKETING',
    description:
      'Harbor Brewing texts guests of its taproom aged 21 and over, who joined its list, about new beers, opening hours and events.',
    messageFlow:
      'Guests scan a QR code on the menu, enter their date of birth and number at https://harborbrewing.com/club, and tick "Text me about beer releases (up to 4 msgs/month). Message and data rates may apply. Text HELP for help, STOP to quit."',
    messageSamples: [
      'Harbor Brewing: the winter beer is on tap from [date]. See harborbrewing.com/tap. Text STOP to quit.',
      'Harbor: wine and cheese on Friday for club members, 21+ only. Reply "STOP" to opt out.',
    ],
    hasEmbeddedLinks: true,
    ageGated: true,
    privacyPolicyUrl: 'https://harborbrewing.com/privacy',
    termsUrl: 'https://harborbrewing.com/terms',
  },
};

const publicCompany: Case = {
  context: {
    organization: { name: 'Orbit Logistics', domain: 'www.orbit-logistics.com' },
    hasEvidence: true,
    sites: {
      website: { reachable: true, status: 200 },
      privacyPolicyUrl: { reachable: true, status: 200 },
      termsUrl: null,
    },
  },
  intake: {
    ...common,
    regionsOfOperation: ['USA_AND_CANADA', 'EUROPE'],
    legalName: 'Orbit Logistics Holdings, Inc.',
    registrationNumber: '36-4410927',
    industry: 'TRANSPORTATION',
    website: 'https://orbit-logistics.com',
    companyType: 'public',
    stockTicker: 'ORBT',
    stockExchange: 'NYSE',
    brandContactEmail: 'compliance@orbit-logistics.com',
    address: { street: '700 Lake Street', city: 'Chicago', region: 'IL', postalCode: '60606-1234', country: 'US' },
    representative: {
      firstName: 'Ana',
      lastName: 'Ruiz',
      email: 'ana.ruiz@corp.orbit-logistics.com',
      phone: '+13125550111',
      title: 'General Counsel',
      jobPosition: 'General Counsel',
    },
    useCase: 'DELIVERY_NOTIFICATION',
    description:
      'Orbit Logistics texts recipients of parcels, who gave their number and asked for texts at checkout, about where the parcel is and when it comes.',
    messageFlow:
      'At checkout on the shops that we deliver for, recipients tick an unchecked, optional box: "Text me about this delivery. 2 to 4 texts per order from Orbit Logistics. Message & data rates may apply. Reply HELP for help, STOP to opt out."',
    messageSamples: [
      'Orbit Logistics: parcel [number] comes on [date]. Track it: [tracking link]. Reply STOP to opt out.',
      'ORBIT: we missed you. Pick up parcel 1Z9998887776665554 at [shop] within 7 days. STOP=end',
    ],
    hasEmbeddedLinks: true,
    privacyPolicyUrl: 'https://orbit-logistics.com/privacy',
    termsUrl: 'https://orbit-logistics.com/terms',
  },
};

export const honest = { staffing, autoRepair, creditUnion, brewery, publicCompany };
