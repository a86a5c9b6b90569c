/**
 * Why companies (brands, and the profiles they are made from) are refused, by Twilio's code. Sources: Twilio's error
 * dictionary, its guide "Troubleshooting A2P standard and low-volume brand failures".
 */
import type { Rejection } from './rejected-campaigns.ts';

export const brandRejections: Readonly<Record<number, Rejection>> = {
  18011: {
    reason: 'The legal name is not the one that belongs to this registration number.',
    remedy:
      'Copy the name from the tax record (in the United States from the letter CP 575 or 147C), letter by letter.',
    fields: ['legalName', 'registrationNumber'],
  },
  18601: {
    reason: "Twilio refused the company's profile: something in it could not be confirmed.",
    remedy:
      'Compare legal name, registration number, address, website and representative with official records, correct what differs, and resubmit.',
    fields: ['legalName', 'registrationNumber', 'address.street', 'website', 'representative.email'],
  },
  21724: {
    reason: 'The company was resubmitted as often as is allowed.',
    remedy:
      'It cannot be resubmitted from here any more. Ask Twilio support to open it again, and tell them what was corrected.',
    fields: [],
    final: true,
  },
  21725: {
    reason: 'The company cannot be resubmitted now: it is still being looked at, or was never refused.',
    remedy: 'Nothing has to be corrected. Wait for the result; if it stays like this for days, ask Twilio support.',
    fields: [],
    final: true,
  },
  21731: {
    reason: "The company's registration was suspended.",
    remedy:
      'No correction here lifts a suspension. Ask Twilio support why it was suspended and what they need to restore it.',
    fields: [],
    final: true,
  },
  21736: {
    reason: 'It could not be shown that the contact email belongs to the domain of the company.',
    remedy:
      "Give the address of a person at the company, on the domain of the company's website, and send the link again.",
    fields: ['brandContactEmail', 'website'],
  },
  21737: {
    reason: 'The link in the confirmation email was not followed within seven days.',
    remedy:
      'Tell the person who gets the link to expect a message from noreply@auth.campaignregistry.com, and send the link again.',
    fields: ['brandContactEmail', 'representative.email'],
  },
  21738: {
    reason: 'The confirmation email could not be delivered.',
    remedy:
      'Check the contact email for mistakes, have noreply@auth.campaignregistry.com allowed by its mail filter, and send the link again.',
    fields: ['brandContactEmail', 'representative.email'],
  },
  21739: {
    reason: 'The confirmation of the contact email failed or took too long.',
    remedy: 'Send the link again. If it fails again, give the address of another person at the company.',
    fields: ['brandContactEmail', 'representative.email'],
  },
  21740: {
    reason: 'The contact email is not on a domain of the company.',
    remedy:
      "Give an address on the domain of the company's website: no free mail such as Gmail, no mailing list, no other company's domain.",
    fields: ['brandContactEmail'],
  },
  21741: {
    reason: 'The code in the confirmation email is no longer valid.',
    remedy: 'Send the link again and have it followed within seven days.',
    fields: ['brandContactEmail', 'representative.email'],
  },
  20404: {
    reason: 'It does not exist at Twilio any more: somebody deleted it there.',
    remedy: 'Resubmit: it is made anew, and charged again.',
    fields: [],
  },
  22214: {
    reason: 'A part of the profile is missing: the company or its representative.',
    remedy: 'Fill in everything about the company and its representative, then resubmit.',
    fields: ['legalName', 'representative.firstName', 'representative.lastName', 'representative.email'],
  },
  22215: {
    reason: 'Something about the company or its representative is missing.',
    remedy: 'Fill in the fields named here, then resubmit.',
    fields: ['legalName', 'registrationNumber', 'website', 'representative.email', 'representative.phone'],
  },
  22216: {
    reason: "The company's address is missing.",
    remedy: 'Fill in the whole address, then resubmit.',
    fields: ['address.street', 'address.city', 'address.region', 'address.postalCode', 'address.country'],
  },
  22217: {
    reason: "A part of the company's address is missing.",
    remedy: 'Fill in the whole address, then resubmit.',
    fields: ['address.street', 'address.city', 'address.region', 'address.postalCode', 'address.country'],
  },
  22218: {
    reason: 'Something about the company or its representative has a form that Twilio does not accept.',
    remedy: 'Choose the type of the company anew and check email, phone number and registration number, then resubmit.',
    fields: ['companyType', 'registrationNumber', 'representative.email', 'representative.phone'],
  },
  30701: {
    reason: 'The state or province does not exist in the country of the address.',
    remedy: 'Write the state or province by its two letters, such as TX or ON, and check the country.',
    fields: ['address.region', 'address.country'],
  },
  30702: {
    reason: 'The registry no longer knows the company.',
    remedy: 'Check the questionnaire and resubmit the company. If that is refused, ask Twilio support.',
    fields: ['legalName', 'registrationNumber'],
  },
  30703: {
    reason: 'This company is registered already.',
    remedy:
      'Submitting it again does not help. Attach the account in which it is registered, or ask Twilio support where that is.',
    fields: [],
    final: true,
  },
  30790: {
    reason: 'Twilio had an error of its own while registering the company.',
    remedy: 'Nothing is wrong with the questionnaire: resubmit it as it is. If it happens again, ask Twilio support.',
    fields: [],
  },
  30792: {
    reason: 'Twilio had an error of its own while registering the company.',
    remedy: 'Nothing is wrong with the questionnaire: resubmit it as it is. If it happens again, ask Twilio support.',
    fields: [],
  },
  30795: {
    reason: 'Registration number and legal name do not belong together.',
    remedy:
      'Copy both from the tax record (in the United States from the letter CP 575 or 147C): the name letter by letter, not the name used in business.',
    fields: ['registrationNumber', 'legalName'],
  },
  30799: {
    reason: 'The details of the company could not be found in official records.',
    remedy:
      'Copy legal name, registration number and address from the tax record. A company registered in the last weeks may not be in the records yet.',
    fields: ['legalName', 'registrationNumber', 'address.street'],
  },
};
