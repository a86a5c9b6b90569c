/**
 * Wording that reviewers look for. Sources: the CTIA's messaging principles and carriers' codes of conduct, which forbid
 * or restrict these subjects; Twilio's list of disallowed content. Patterns keep to phrases that honest companies do not
 * use by chance: `payday` alone is a word of every employer, `adult` of every school.
 */

interface Subject {
  name: string;
  twilioCode: number;
  pattern: RegExp;
}

export const forbiddenSubjects: readonly Subject[] = [
  { name: 'cannabis', twilioCode: 30883, pattern: /\b(?:cannabis|marijuana|cbd|thc)\b/i },
  {
    name: 'adult content',
    twilioCode: 30883,
    pattern:
      /\b(?:porn\w*|adult[- ](?:content|entertainment|dating|videos?|toys?)|escort services?|sex toys?|strip clubs?|hook-?ups?)\b/i,
  },
  {
    name: 'gambling',
    twilioCode: 30897,
    pattern: /\b(?:casinos?|gambling|gamblers?|sportsbooks?|sports betting|online betting|betting odds)\b/i,
  },
  {
    name: 'payday loans',
    twilioCode: 30897,
    pattern: /\b(?:pay[- ]?day[- ](?:loans?|lend\w*|advances?|cash)|(?:car |auto )?title loans?)\b/i,
  },
  {
    name: "other lenders' loans",
    twilioCode: 30897,
    pattern: /\bthird[- ]party (?:loans?|lend\w*|mortgages?|financing)\b/i,
  },
  {
    name: 'debt relief or collection for others',
    twilioCode: 30897,
    pattern:
      /\b(?:debt[- ](?:relief|settlement|consolidation|reduction|forgiveness|elimination)|third[- ]party (?:debt )?collect\w*)\b/i,
  },
  {
    name: 'credit repair',
    twilioCode: 30897,
    pattern: /\b(?:credit[- ](?:repair|restoration)|(?:fix|repair) your credit)\b/i,
  },
  {
    name: 'promises of quick money',
    twilioCode: 30897,
    pattern:
      /\b(?:get[- ]rich\w*|multi-?level marketing|pyramid schemes?|(?:make|earn)(?:ing)? (?:extra |easy |fast |quick |real )?(?:money|cash) (?:fast|online|(?:working )?(?:from|at) home)|(?:make|earn)(?:ing)? (?:up to )?\$[\d,.]+k?[^.!?]{0,25}\b(?:from|at) home|work[- ](?:from|at)[- ]home (?:opportunit\w+|schemes?|programs?|and (?:earn|make)))\b/i,
  },
];

export const workFromHome = /\bwork(?:ing)?[- ](?:from|at)[- ]home\b/i;

/** For adults: to be declared as age-gated. Tools that are called guns are not. */
export const ageGated =
  /\b(?:alcohol|alcoholic|beers?|wines?|liquors?|whiske?ys?|vodkas?|tequilas?|bourbons?|cocktails?|tobacco|cigars?|cigarettes?|vap(?:e|es|ing)|e-?cig\w*|nicotine|hookahs?|firearms?|ammunition|ammo|handguns?|pistols?|rifles?|(?<!\b(?:nail|glue|staple|heat|spray|paint|water|massage|caulk|grease|top)[- ])guns?)\b/i;
/** What contains such a word and means something else, chiefly conditions of a job. */
export const notAgeGated =
  /\b(?:non-?alcoholic|(?:alcohol|tobacco|vape|nicotine)[- ]free|(?:root|ginger) beers?|(?:rubbing|isopropyl) alcohol|drugs?(?: and | or | ?& ?| ?\/ ?)alcohol|alcohol(?: and | or | ?& ?| ?\/ ?)drugs?|alcohol (?:tests?|testing|screens?|screening|polic(?:y|ies)|rehab\w*|treatment|abuse|recovery)|no (?:alcohol|tobacco|vaping|firearms|guns))\b/gi;

export const lending = /\b(?:loans?|mortgages?|lending|lenders?|refinanc(?:e|ing)|helocs?|lines? of credit)\b/i;

export const emergency =
  /\b(?:emergency (?:alerts?|notifications?|messages?|messaging|warnings?|texts?|broadcasts?|notices?|updates?)|(?:in|during) (?:case of )?(?:an )?emergenc(?:y|ies)|evacuat(?:e|ion)s?|amber alerts?|public safety|severe weather)\b/i;

/** Anybody can make a link with these, so carriers cannot see whose it is. */
export const shorteners: readonly string[] = [
  'bit.ly',
  'tinyurl.com',
  'goo.gl',
  't.co',
  'ow.ly',
  'is.gd',
  'buff.ly',
  'rebrand.ly',
  'cutt.ly',
  'shorturl.at',
  'rb.gy',
  't.ly',
  'tiny.cc',
  'bitly.com',
  'lnkd.in',
  's.id',
  'soo.gd',
  'v.gd',
  'shorte.st',
  'short.io',
  'tiny.one',
];

/** Providers whose addresses say nothing about the company. Families such as `yahoo.ca` go by their first label. */
const freeMailFamilies: readonly string[] = [
  'gmail',
  'googlemail',
  'yahoo',
  'ymail',
  'hotmail',
  'outlook',
  'live',
  'gmx',
];
const freeMail = new Set([
  'msn.com',
  'aol.com',
  'icloud.com',
  'me.com',
  'mac.com',
  'proton.me',
  'protonmail.com',
  'pm.me',
  'mail.com',
  'email.com',
  'zoho.com',
  'fastmail.com',
  'hey.com',
  'rocketmail.com',
  'yandex.com',
  'qq.com',
  '163.com',
  'mail.ru',
  'comcast.net',
  'att.net',
  'sbcglobal.net',
  'bellsouth.net',
  'verizon.net',
  'cox.net',
  'charter.net',
  'rogers.com',
  'shaw.ca',
  'telus.net',
  'sympatico.ca',
  'bell.net',
  'videotron.ca',
]);

export const isFreeMail = (domain: string): boolean =>
  freeMail.has(domain) ||
  new RegExp(`^(?:${freeMailFamilies.join('|')})\\.(?:[a-z]{2,3}|com?\\.[a-z]{2})$`).test(domain);
