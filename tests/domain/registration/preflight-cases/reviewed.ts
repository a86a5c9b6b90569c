/** Companies as a reviewer wrote them, honest and not, with all that preflight should say of what they text. */
import type { IntakeDraft } from '../../../../domain/registration/intake.ts';

interface Reviewed {
  name: string;
  draft: IntakeDraft;
  /** `severity code field`, with Twilio's code where it tells more. */
  findings: string[];
}

const disclosed =
  'Message frequency varies. Message and data rates may apply. Reply STOP to opt out, HELP for help. Mobile numbers are never shared with third parties.';
const byBox = (place: string, name: string): string =>
  `${place} there is an optional, unchecked box: "I agree to receive text messages from ${name}. ${disclosed}"`;
const usual = { hasEmbeddedLinks: false, hasEmbeddedPhone: false } satisfies IntakeDraft;

export const reviewed: Readonly<Record<string, Reviewed>> = {
  'addiction clinic': {
    name: 'Clear Path Recovery',
    draft: {
      ...usual,
      description:
        'Clear Path Recovery is a licensed clinic that offers alcohol, tobacco and gambling addiction treatment programs. We text patients who agreed at intake about appointments and group sessions.',
      messageFlow: byBox(
        'On the paper form that patients of our alcohol and gambling addiction programs sign,',
        'Clear Path Recovery',
      ),
      messageSamples: [
        'Clear Path Recovery: your appointment is on [date] at [time]. Reply C to confirm, STOP to opt out.',
        'Clear Path: the gambling addiction group meets on [date]. Reply STOP to opt out.',
      ],
    },
    findings: [
      'warning forbidden_mention description',
      'warning forbidden_mention messageFlow',
      'warning forbidden_mention messageSamples[1]',
      'warning age_gate_mention ageGated',
    ],
  },
  'hospitality staffing': {
    name: 'Silver State Staffing',
    draft: {
      ...usual,
      description:
        'Silver State Staffing texts hospitality workers who applied on its website about open shifts and jobs at hotels, restaurants and casinos in Las Vegas. We offer cook, dealer and security positions at casinos.',
      messageFlow: byBox('In the application form at https://www.silverstate.jobs/apply', 'Silver State Staffing'),
      messageSamples: [
        'Silver State Staffing: line cook at the Bellagio casino resort, Sat 3 pm, $24/hr. Reply YES. Reply STOP to opt out.',
        'Silver State: dealer position at two casinos downtown. Do not wear jewelry. Reply STOP to opt out.',
        'Silver State: shift on Sunday, security. Place: Mirage Casino. Bartenders pour wine. Reply STOP to opt out.',
      ],
    },
    findings: [
      'warning forbidden_mention description',
      'warning forbidden_mention messageSamples[0]',
      'warning forbidden_mention messageSamples[1]',
      'warning forbidden_mention messageSamples[2]',
      'warning age_gate_mention ageGated',
    ],
  },
  'bankruptcy law firm': {
    name: 'Miller Bankruptcy Law',
    draft: {
      ...usual,
      description:
        'Miller Bankruptcy Law texts clients who signed an engagement letter about hearings and documents. We help people with medical bills, credit cards, payday loans and title loans. We are a debt relief agency.',
      messageFlow: byBox('In the contact form at https://www.millerlaw.com/contact', 'Miller Bankruptcy Law'),
      messageSamples: [
        'Miller Bankruptcy Law: your hearing is on [date] at [time]. Do not bring firearms, alcohol or tobacco into the courthouse. Reply STOP to opt out.',
        'Miller Law: please send us statements of credit cards and payday loans before [date]. Reply STOP to opt out.',
      ],
    },
    findings: [
      'warning forbidden_mention description',
      'warning forbidden_mention description',
      'warning forbidden_mention messageSamples[1]',
      'warning lending_not_declared directLending',
    ],
  },
  'school district': {
    name: 'Maple Valley School District',
    draft: {
      ...usual,
      description:
        'Maple Valley School District texts parents who signed up in the parent portal about attendance, events and severe weather closings.',
      messageFlow: byBox('In the parent portal', 'Maple Valley School District'),
      messageSamples: [
        'Maple Valley School District: schools are closed on [date] because of severe weather. Reply STOP to opt out.',
        'Maple Valley: adult education classes begin on [date]. No vaping, alcohol or weapons on campus. Reply STOP to end.',
      ],
    },
    findings: ['warning emergency_wording description', 'warning emergency_wording messageSamples[0]'],
  },
  'restaurant without an age gate': {
    name: 'Osteria Lina',
    draft: {
      ...usual,
      description:
        'Osteria Lina texts guests who booked a table on its website about their reservations, the waiting list and the events of the month.',
      messageFlow: byBox('In the booking form at https://osterialina.com/book', 'Osteria Lina'),
      messageSamples: [
        'Osteria Lina: your table for [n] is ready. Reply STOP to opt out.',
        'Osteria Lina: half-price wine on Tuesday with any pasta. Reply STOP to opt out.',
      ],
    },
    findings: ['error age_gate_not_declared ageGated'],
  },
  'shop for hemp and kratom': {
    name: 'Green Leaf',
    draft: {
      ...usual,
      description:
        'Green Leaf texts customers of its shop, who joined its list, about delta-8 gummies, kratom, hemp flower and edibles.',
      messageFlow: byBox('On the tablet at the counter', 'Green Leaf'),
      messageSamples: [
        'Green Leaf: new delta-8 carts are in. Reply STOP to opt out.',
        'Green Leaf: kratom 20% off today. Reply STOP to opt out.',
        'Green Leaf: top-shelf hemp flower and weed strains from $5. Reply STOP to opt out.',
        'Green Leaf: edibles are buy one, get one. Reply STOP to opt out.',
      ],
    },
    findings: [
      'error forbidden_content description 30883',
      'warning forbidden_mention description 30883',
      'error forbidden_content messageSamples[0] 30883',
      'error forbidden_content messageSamples[1] 30883',
      'error forbidden_content messageSamples[2] 30883',
      'warning forbidden_mention messageSamples[2] 30883',
      'warning forbidden_mention messageSamples[3] 30883',
    ],
  },
  'lead generator': {
    name: 'Quote Finder',
    draft: {
      ...usual,
      description:
        'Quote Finder texts people who asked for insurance quotes on its website, and sends their information to our network of insurance partners.',
      messageFlow:
        'Visitors fill in the quote form at https://quotefinder.com. By submitting the form you consent to receive calls and texts from Quote Finder and its marketing partners. Message frequency varies. Message and data rates may apply. Reply STOP to opt out, HELP for help.',
      messageSamples: [
        'Quote Finder: your quotes for [car] are ready. Reply STOP to opt out.',
        'Quote Finder: an agent will call you on [date]. Reply STOP to opt out.',
      ],
    },
    findings: [
      'warning flow_shares_consent description 30932',
      'warning flow_bundles_consent messageFlow 30923',
      'warning flow_shares_consent messageFlow 30932',
    ],
  },
  'shop that demands consent': {
    name: 'Tire Barn',
    draft: {
      ...usual,
      description:
        'Tire Barn texts customers who ordered tires on its website about their orders, appointments and seasonal discounts.',
      messageFlow: `At https://tirebarn.com/checkout customers agree to text messages. Consent is a condition of purchase. ${disclosed}`,
      messageSamples: [
        'Tire Barn: your tires have come. Reply STOP to opt out.',
        'Tire Barn: winter tires 10% off until [date]. Reply STOP to opt out.',
      ],
    },
    findings: ['error flow_conditions_consent messageFlow 30931'],
  },
  'shop that discloses well': {
    name: 'Tire Barn',
    draft: {
      ...usual,
      description:
        'Tire Barn texts customers who ordered tires on its website about their orders, appointments and seasonal discounts.',
      messageFlow: `${byBox('At https://tirebarn.com/checkout', 'Tire Barn')} Consent is NOT a condition of purchase.`,
      messageSamples: [
        'Tire Barn: your tires have come. Reply STOP to opt out.',
        'Tire Barn: winter tires 10% off until [date]. Reply STOP to opt out.',
      ],
    },
    findings: [],
  },
  casino: {
    name: 'Lucky Bend',
    draft: {
      ...usual,
      description:
        'Lucky Bend Casino texts members of its players club, who signed up at the desk, about promotions, free play and tournaments.',
      messageFlow: byBox('On the paper form of the players club', 'Lucky Bend'),
      messageSamples: [
        'Lucky Bend Casino: $20 free play tonight. Gambling problem? Call 1-800-GAMBLER. Reply STOP to opt out.',
        'Lucky Bend: slots tournament on [date]. Reply STOP to opt out.',
      ],
      hasEmbeddedPhone: true,
    },
    findings: ['error forbidden_content description 30897', 'error forbidden_content messageSamples[0] 30897'],
  },
  'payday lender': {
    name: 'Quick Cash',
    draft: {
      ...usual,
      description:
        'Quick Cash texts people who applied in its stores about payday loans: approvals, due dates and new offers.',
      messageFlow: byBox('On the paper form in the store', 'Quick Cash'),
      messageSamples: [
        'Quick Cash: your payday loan is approved. Reply STOP to opt out.',
        'Quick Cash: a payment of $[amount] is due on [date]. Reply STOP to opt out.',
      ],
      directLending: true,
    },
    findings: ['error forbidden_content description 30897', 'error forbidden_content messageSamples[0] 30897'],
  },
  'bank that warns': {
    name: 'Prairie Bank',
    draft: {
      ...usual,
      description:
        'Prairie Bank texts customers, who asked for it in online banking, about their accounts and about current fraud schemes.',
      messageFlow: byBox('In online banking, on the page Alerts,', 'Prairie Bank'),
      messageSamples: [
        'Prairie Bank: beware of online betting and credit repair scams. We never ask for your PIN. Reply STOP to opt out.',
        'Prairie Bank: your balance is below $[amount]. Reply STOP to opt out.',
      ],
    },
    findings: ['warning forbidden_mention messageSamples[0]', 'warning forbidden_mention messageSamples[0]'],
  },
};
