/**
 * Why campaigns are refused, by Twilio's code. Sources: Twilio's error dictionary, its guide "Troubleshooting and
 * rectifying A2P campaigns".
 */

/** A row of the tables: what happened, what to do, and which fields of the intake it usually concerns. */
export interface Rejection {
  reason: string;
  remedy: string;
  fields: readonly string[];
  /** No correction of the intake helps: it must not be resubmitted as it is. */
  final?: true;
}

export const campaignRejections: Readonly<Record<number, Rejection>> = {
  21717: {
    reason: 'The company is not registered yet, or its registration is no longer valid.',
    remedy: 'Wait until the company is verified, or correct and resubmit the company first; then submit the campaign.',
    fields: [],
  },
  21720: {
    reason: 'The chosen use case does not exist or is not open to this company.',
    remedy: 'Choose another use case. Low volume suits most companies.',
    fields: ['useCase'],
  },
  21729: {
    reason: 'The campaign was suspended, which means that a carrier or Twilio has objected to messages sent with it.',
    remedy:
      'No correction here lifts a suspension. Ask Twilio support why the campaign was suspended and what they need to restore it.',
    fields: [],
    final: true,
  },
  30544: {
    reason: 'Where people opt in, it is not said what kinds of messages they agree to.',
    remedy:
      'Name the kinds of messages next to the box, for example "job alerts and interview reminders", and quote that sentence in the opt-in description.',
    fields: ['messageFlow', 'evidence'],
  },
  30556: {
    reason: 'Agreeing to text messages is bundled with agreeing to something else, such as email or phone calls.',
    remedy: 'Give text messages a box of their own, describe that box, and upload a new screenshot.',
    fields: ['messageFlow', 'evidence'],
  },
  30882: {
    reason: "What is described breaks Twilio's terms of service.",
    remedy:
      'This decision is final: the campaign cannot be resubmitted, and rewording will not change it. If it is a misunderstanding, ask Twilio support to look at it again.',
    fields: [],
    final: true,
  },
  30883: {
    reason:
      'The content is of a kind that carriers do not allow, such as sex, hate, alcohol, firearms, tobacco or cannabis.',
    remedy:
      'This decision is final: the campaign cannot be resubmitted, and this business cannot text such content. If it is a misunderstanding, ask Twilio support to look at it again.',
    fields: [],
    final: true,
  },
  30884: {
    reason: 'The reviewers see a high risk of spam or phishing.',
    remedy:
      'This decision is final: the campaign cannot be resubmitted. If it is a misunderstanding, ask Twilio support to look at it again.',
    fields: [],
    final: true,
  },
  30885: {
    reason: 'The reviewers see a high risk of fraud or deceptive marketing.',
    remedy:
      'This decision is final: the campaign cannot be resubmitted. If it is a misunderstanding, ask Twilio support to look at it again.',
    fields: [],
    final: true,
  },
  30886: {
    reason: 'The description is too vague, or does not fit the use case.',
    remedy:
      'Say who sends, to whom, what and why, for example: "Acme Staffing texts job seekers who applied on its website about matching jobs and interviews."',
    fields: ['description'],
  },
  30887: {
    reason: 'It is not clear how people stop the messages.',
    remedy: 'Write "Reply STOP to opt out" into the samples and into the description of how people opt in.',
    fields: ['messageFlow', 'messageSamples'],
  },
  30888: {
    reason: 'The messages are about something for adults only, and that was not declared.',
    remedy:
      'Declare age-gated content and ask for the date of birth where people opt in, or take alcohol, tobacco and the like out of the messages.',
    fields: ['ageGated', 'messageSamples'],
  },
  30889: {
    reason: 'What was declared about phone numbers or links in messages does not agree with the samples.',
    remedy:
      'If messages contain phone numbers or links, declare it and show one in a sample; if they do not, do not declare it and take them out of the samples.',
    fields: ['hasEmbeddedPhone', 'hasEmbeddedLinks', 'messageSamples'],
  },
  30890: {
    reason: 'It is not clear how people get help.',
    remedy: 'Write "Reply HELP for help" into the description of how people opt in, with a way to reach the company.',
    fields: ['messageFlow'],
  },
  30891: {
    reason: 'The website does not work, or does not belong to this company.',
    remedy: "Give the address of a working website that shows the company's name and what it does.",
    fields: ['website'],
  },
  30892: {
    reason: 'A sample contains a link of a public shortener such as bit.ly.',
    remedy: "Replace it with a link on the company's own website.",
    fields: ['messageSamples'],
  },
  30893: {
    reason: 'The samples do not fit the use case, or do not look like real messages.',
    remedy:
      'Write at least two messages as they will be sent, with changing parts in [brackets]; name the company in them and say "Reply STOP to opt out".',
    fields: ['messageSamples', 'useCase'],
  },
  30894: {
    reason: 'The information about the company does not agree with the campaign.',
    remedy: 'Use the same company name in the questionnaire, in the samples and on the website.',
    fields: ['legalName', 'website', 'messageSamples'],
  },
  30895: {
    reason: 'The messages are about loans, and direct lending was not declared.',
    remedy:
      "Declare direct lending if the company lends its own money; otherwise take loans out of the messages: other lenders' loans may not be advertised.",
    fields: ['directLending', 'messageSamples'],
  },
  30896: {
    reason: 'The way people opt in is not enough: it must be clear that they agree to text messages from this company.',
    remedy:
      'Describe where they opt in, that they do so for text messages by a box or a keyword, and what is written next to it; upload a screenshot of it.',
    fields: ['messageFlow', 'evidence'],
  },
  30897: {
    reason: 'The content is of a kind that may not be texted at all, such as gambling, payday loans or debt relief.',
    remedy:
      'Do not resubmit it as it is: it will be refused again. Only if the business texts something else as well, describe that, without the forbidden content.',
    fields: [],
    final: true,
  },
  30898: {
    reason: 'Too many companies are registered with the same tax number.',
    remedy:
      'Do not resubmit it as it is. Use an existing registration of this company, or ask Twilio support to remove those that are no longer used.',
    fields: [],
    final: true,
  },
  30899: {
    reason: 'One or more carriers refused the campaign without saying more.',
    remedy:
      'Check that company, website, samples, use case and opt-in description agree with each other and are complete, then resubmit. If it is refused again, ask Twilio support for the reason.',
    fields: ['description', 'messageFlow', 'messageSamples', 'website'],
  },
  30900: {
    reason: 'The use case is not open to this company.',
    remedy:
      'Choose another use case. A public company has to confirm its email address with the link that it was sent before any campaign is accepted.',
    fields: ['useCase', 'brandContactEmail'],
  },
  30901: {
    reason: 'The review was not finished in time.',
    remedy: 'Nothing is wrong with the questionnaire: resubmit it as it is.',
    fields: [],
  },
  30902: {
    reason: 'A partner between Twilio and the carriers refused the campaign without saying more.',
    remedy: 'Ask Twilio support for the reason, then correct what they name and resubmit.',
    fields: ['description', 'messageFlow', 'messageSamples'],
  },
  30907: {
    reason: 'The reviewers could not see that the website belongs to this company.',
    remedy:
      "Show the company's legal name, address and contact on the website, or give the address of the right website.",
    fields: ['website', 'legalName'],
  },
  30908: {
    reason: 'The privacy policy is missing what it must say about text messages, or allows sharing of phone numbers.',
    remedy:
      'Add to the privacy policy: "Mobile numbers and consent to text messages are not shared with third parties for their marketing."',
    fields: ['privacyPolicyUrl'],
  },
  30909: {
    reason: 'The reviewers could not check how people opt in.',
    remedy:
      'Describe each way step by step with the address of the page, and upload a screenshot that shows the box and the text next to it. The page must open without a login.',
    fields: ['messageFlow', 'evidence'],
  },
  30910: {
    reason: 'The questionnaire is not in English.',
    remedy:
      'Write description, opt-in description and samples in English; translate samples of messages in other languages.',
    fields: ['description', 'messageFlow', 'messageSamples'],
  },
  30913: {
    reason: 'Agreeing to marketing and agreeing to information are one and the same box.',
    remedy:
      'Give marketing a second box of its own, or say in the description that no marketing is sent; then upload a new screenshot.',
    fields: ['messageFlow', 'evidence', 'description'],
  },
  30917: {
    reason: 'Not every way in which people opt in is described.',
    remedy: 'Describe each one: web page, paper form, keyword, by phone, in person. Leave out those that are not used.',
    fields: ['messageFlow'],
  },
  30919: {
    reason: 'The website says too little about the company or its text messages.',
    remedy:
      'Add what the company does, how to reach it and what it texts about, or give the address of a fuller website.',
    fields: ['website'],
  },
  30921: {
    reason: 'The website opens only after a login.',
    remedy:
      'Give an address that opens for everybody, and show the opt-in page by a screenshot when it is behind a login.',
    fields: ['website', 'messageFlow', 'evidence'],
  },
  30923: {
    reason: 'Agreeing to text messages is part of accepting the terms.',
    remedy:
      'Give text messages a box of their own that is separate from the terms, describe it and upload a new screenshot.',
    fields: ['messageFlow', 'evidence'],
  },
  30924: {
    reason: 'Where people opt in, something that must be said is missing.',
    remedy:
      'Write next to the box: "[Company] texts about [what]. Message frequency varies. Message and data rates may apply. Reply STOP to opt out, HELP for help." Quote it in the opt-in description.',
    fields: ['messageFlow', 'evidence'],
  },
  30925: {
    reason: 'There is no box for text messages, or it is already ticked when the page opens.',
    remedy:
      'Show a box that people tick themselves, say that it is not ticked beforehand, and upload a new screenshot.',
    fields: ['messageFlow', 'evidence'],
  },
  30929: {
    reason: 'The campaign speaks of emergency alerts, which only authorities may send.',
    remedy: 'Take words such as "emergency alert" and "evacuation" out, and say what the messages are really about.',
    fields: ['description', 'messageSamples', 'useCase'],
  },
  30930: {
    reason: 'The company already has a hundred campaigns, which is the most that is allowed.',
    remedy:
      'No correction here helps. Have campaigns that are no longer used deleted in the Twilio console first, then submit this one again.',
    fields: [],
    final: true,
  },
  30931: {
    reason: 'People cannot decline text messages: the box or the phone number is required.',
    remedy: 'Make the box optional, so that the form can be sent without it, say so, and upload a new screenshot.',
    fields: ['messageFlow', 'evidence'],
  },
  30932: {
    reason: 'The privacy policy does not say that mobile numbers are kept from third parties, or says the opposite.',
    remedy:
      'Add to the privacy policy: "Mobile numbers and consent to text messages are not shared with third parties for their marketing."',
    fields: ['privacyPolicyUrl'],
  },
  30933: {
    reason: 'The address of the privacy policy is missing or does not work.',
    remedy: "Give the full address of the privacy policy on the company's website; it must open without a login.",
    fields: ['privacyPolicyUrl'],
  },
  30934: {
    reason: 'The address of the terms is missing or does not work.',
    remedy: "Give the full address of the terms on the company's website; it must open without a login.",
    fields: ['termsUrl'],
  },
};
