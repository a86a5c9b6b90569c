/** What is texted and why, how people opt in, forbidden subjects. */
import { type Case, described, draft, flow, flowWith, intake, sample, stop } from './changes.ts';

export const campaignCases = {
  description_length: {
    severity: 'error',
    twilioCode: 30886,
    found: [
      ['description', draft({ description: 'We text people.' })],
      ['description', draft({ description: 'x'.repeat(4097) })],
    ],
    not: [draft({ description: 'x'.repeat(40) }), draft({ description: 'x'.repeat(4096) })],
  },
  description_vague: {
    severity: 'warning',
    twilioCode: 30886,
    found: [['description', draft({ description: 'We text our customers and prospects about our services.' })]],
    not: [draft({ description: 'Too short for this one.' }), draft({ description: 'y'.repeat(80) })],
  },
  message_flow_length: {
    severity: 'error',
    twilioCode: 30909,
    found: [
      ['messageFlow', flow('On our website, by SMS.')],
      ['messageFlow', flow('x'.repeat(2049))],
    ],
    not: [flow('x'.repeat(2048))],
  },
  flow_without_sms: {
    severity: 'warning',
    twilioCode: 30896,
    found: [['messageFlow', flow('People leave their number in the form on our website and agree to be contacted.')]],
    not: [flow('People agree to SMS in the form on our website.'), flow('People agree to be texted, in a paper form.')],
  },
  flow_without_place: {
    severity: 'warning',
    twilioCode: 30909,
    found: [['messageFlow', flow('Our customers have all agreed to receive text messages from us before.')]],
    not: [
      flow('Our customers agree to text messages verbally, when they call us.'),
      flow('Customers text the keyword JOIN to our number to get text messages.'),
      flow('Customers agree to text messages on acme.com/join before we send any.'),
    ],
  },
  flow_without_disclosures: {
    severity: 'warning',
    twilioCode: 30924,
    found: [
      ['messageFlow', flow(intake.messageFlow.replace('Message frequency varies. ', ''))],
      ['messageFlow', flow(intake.messageFlow.replace('Message and data rates may apply. ', ''))],
      ['messageFlow', flow(intake.messageFlow.replace('Reply STOP to opt out, ', ''))],
      ['messageFlow', flow(intake.messageFlow.replace('HELP for help', ''))],
    ],
    not: [flow('SMS form: up to 4 msgs/month. Msg&data rates may apply. Text STOP to end or HELP for help.')],
  },
  flow_pre_checked: {
    severity: 'error',
    twilioCode: 30925,
    found: [
      'The box is pre-checked.',
      'The box is preticked for convenience.',
      'The checkbox is not required and is checked by default.',
      'All customers are automatically opted in.',
      'Customers are enrolled by default!',
    ].map((text) => ['messageFlow', flowWith(text)]),
    not: [
      flowWith('The box is never pre-checked.'),
      flowWith("It isn't automatically ticked or pre-selected."),
      flowWith('The box is un-checked by default and unchecked by default.'),
      flowWith('No one is automatically enrolled.'),
      flowWith('We use neither hidden nor pre-checked boxes.'),
      flowWith('There are no hidden boxes, pre-checked boxes, or bundled consent.'),
    ],
  },
  flow_conditions_consent: {
    severity: 'error',
    twilioCode: 30931,
    found: [
      'Consent is a condition of purchase.',
      'Reply STOP to end; consent to texts is a condition for service.',
      'Agreeing to receive texts is a requirement to apply.',
    ].map((text) => ['messageFlow', flowWith(text)]),
    not: [
      'Consent is NOT a condition of purchase.',
      "Consent isn't a condition of purchase.",
      'Consent to texts is never a requirement for service.',
      'You are not required to agree as a condition of buying anything.',
      'A license is a condition of some jobs.',
    ].map(flowWith),
  },
  flow_bundles_consent: {
    severity: 'warning',
    twilioCode: 30923,
    found: [
      'Applicants fill in the form on our website: by submitting the form you consent to SMS.',
      'By clicking "Submit", they agree to receive text messages.',
      'By placing an order, customers agree to our terms and text messages.',
    ].map((text) => ['messageFlow', flow(text)]),
    not: [
      flow('By submitting this form with the box ticked, you agree to texts.'),
      flow('There is an optional, unchecked box for texts. By submitting this form you agree to the terms.'),
      flow('By texting JOIN to our number you agree to texts.'),
      flow('By checking this box you agree to texts.'),
    ],
  },
  flow_leaves_no_room_for_evidence: {
    severity: 'warning',
    twilioCode: 30909,
    found: [['messageFlow', flow('x'.repeat(1901))]],
    not: [flow('x'.repeat(1900)), { ...flow('x'.repeat(1901)), context: { hasEvidence: false } }],
  },
  flow_shares_consent: {
    severity: 'warning',
    twilioCode: 30932,
    found: [
      ['messageFlow', flowWith('Numbers may be shared with our marketing partners.')],
      ['messageFlow', flowWith('We sell leads to third parties.')],
      ['messageFlow', flowWith('They agree to texts from Bluebird and its marketing partners.')],
      [
        'messageFlow',
        flowWith('I agree to calls and texts by Bluebird or our insurance partners, consent is not a condition.'),
      ],
      ['description', described('The company sends their information to our network of insurance partners.')],
    ],
    not: [
      flowWith('No mobile information will be shared with third parties or affiliates.'),
      flowWith('We share news.'),
      flowWith('We do not provide your number to our marketing partners.'),
      described('We send customers information about events by phone.'),
      described('Employers send their details to us by form.'),
    ],
  },
  evidence_missing: {
    severity: 'warning',
    twilioCode: 30909,
    found: [['evidence', { context: { hasEvidence: false } }]],
    not: [{ context: { hasEvidence: true } }],
  },

  forbidden_content: {
    severity: 'error',
    twilioCode: 30897,
    found: [
      ['messageSamples[1]', sample(`Bluebird: get a PAYDAY LOAN today, no credit check. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: third-party lenders compete for you. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: debt-relief and credit repair that work. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: casino night, free chips. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: make easy money from home! ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: earn up to $5,000 a week from home! ${stop}`)],
      ['description', described('We also offer payday advances.')],
      ['description', described('Our shop has discounts on casino nights.')],
      ['messageSamples[1]', sample(`Bluebird: no deposit casino bonus, no credit check. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: payday loans today, no bank, no fee. ${stop}`)],
    ],
    not: [
      flowWith('They also agree to offers of sports betting.'),
      described('Some of these are at a casino.'),
      sample(`Bluebird: cook at the [name] casino resort. $22/hr. ${stop}`),
      sample(`Bluebird: no gambling at work. Do not bring cannabis or alcohol. ${stop}`),
      sample(`Bluebird: the Delta 8:15 flight and Delta 9 am. ${stop}`),
      sample(`Bluebird: payday is Friday, and our adult education class is free. ${stop}`),
      sample(`Bluebird: [job] at Casinova Street, with Ms. Sloan. Debt and credit explained. ${stop}`),
      described('We never text about payday loans, gambling or cannabis.'),
      flowWith("We don't send adult content."),
    ],
  },
  forbidden_mention: {
    severity: 'warning',
    twilioCode: 30897,
    found: [
      ['messageFlow', flowWith('They also agree to offers of sports betting.')],
      ['description', described('Some of these are at a casino.')],
      ['description', described('We offer gambling addiction treatment.')],
      ['messageSamples[1]', sample(`Bluebird: cook at the [name] casino resort. $22/hr. ${stop}`)],
      ['messageSamples[1]', sample(`Bluebird: beware of payday loan scams. ${stop}`)],
    ],
    not: [
      sample(`Bluebird: cook at the [name] resort. $22/hr. ${stop}`),
      sample(`Bluebird: no weapons, alcohol or gambling at work. Gambling is prohibited. ${stop}`),
      sample(`Bluebird: casino night, free chips. ${stop}`),
      described('We never text about gambling.'),
    ],
  },
  work_from_home: {
    severity: 'warning',
    twilioCode: 30897,
    found: [['messageSamples[1]', sample(`Bluebird: work from home as [job] for [employer]. ${stop}`)]],
    not: [sample(`Bluebird: remote job as [job] for [employer]. ${stop}`)],
  },
  age_gate_not_declared: {
    severity: 'error',
    twilioCode: 30888,
    found: [
      ['ageGated', sample(`Bluebird: two beers for one tonight. ${stop}`)],
      ['ageGated', sample(`Bluebird: new vape flavors. ${stop}`)],
      ['ageGated', sample(`Bluebird: guns and ammo, 10% off. ${stop}`)],
      ['ageGated', described('We also text offers of wine.')],
    ],
    not: [
      sample(`Bluebird: root beer and a nail gun for you, in an alcohol-free workplace. ${stop}`),
      sample(`Bluebird: [name] Gunn and Ms. Beerman of Winehouse meet you. ${stop}`),
      sample(`Bluebird: pass a drug & alcohol test by [date]. ${stop}`),
      described('We do not text about alcohol.'),
      { draft: { ageGated: true, ...sample(`Bluebird: two beers for one tonight. ${stop}`).draft } },
    ],
  },
  age_gate_mention: {
    severity: 'warning',
    twilioCode: 30888,
    found: [
      ['ageGated', sample(`Bluebird: bartender job, wine service a plus. ${stop}`)],
      ['ageGated', described('Some of them work in beer gardens.')],
      ['ageGated', flowWith('The form lies on the counter of the wine bar.')],
    ],
    not: [
      sample(`Bluebird: do not bring firearms. Tobacco is not allowed on site. ${stop}`),
      sample(`Bluebird: two beers for one tonight. ${stop}`),
      { draft: { ageGated: true, ...sample(`Bluebird: bartender job, wine service. ${stop}`).draft } },
    ],
  },
  lending_not_declared: {
    severity: 'warning',
    twilioCode: 30895,
    found: [
      ['directLending', sample(`Bluebird: your mortgage is approved. ${stop}`)],
      ['directLending', described('We also text about loans.')],
    ],
    not: [
      sample(`Bluebird: Ms. Sloan has a loaner car for you. ${stop}`),
      { draft: { directLending: true, ...sample(`Bluebird: your loan is approved. ${stop}`).draft } },
    ],
  },
  emergency_wording: {
    severity: 'warning',
    twilioCode: 30929,
    found: [
      ['messageSamples[1]', sample(`Bluebird: emergency alert, the site is closed. ${stop}`)],
      ['description', described('We also text in case of emergency.')],
    ],
    not: [sample(`Bluebird: a job in the emergency room of [hospital], Emergency Street 5. ${stop}`)],
  },

  opt_in_message_length: {
    severity: 'error',
    twilioCode: null,
    found: [
      ['optInMessage', draft({ optInMessage: 'Welcome!' })],
      ['optInMessage', draft({ optInMessage: 'x'.repeat(321) })],
    ],
    not: [draft({ optInMessage: 'x'.repeat(320) }), draft({ optInMessage: ' ' })],
  },
  opt_in_keyword_shape: {
    severity: 'error',
    twilioCode: null,
    found: ['JOIN US', 'join!', '', 'OUI-OUI'].map((keyword) => [
      'optInKeywords',
      draft({ optInKeywords: ['YES', keyword] }),
    ]),
    not: [draft({ optInKeywords: [] }), draft({ optInKeywords: ['join', 'JOBS24'] })],
  },
} satisfies Record<string, Case>;
