/**
 * Wording that reviewers look for. Sources: the CTIA's messaging principles and carriers' codes of conduct, which forbid
 * or restrict these subjects; Twilio's list of disallowed content. Patterns keep to phrases that honest companies do not
 * use by chance: `payday` alone is a word of every employer, `adult` of every school. They also keep to bounded
 * repetitions: a hostile text must not take time in the square of its length.
 */

/** What forbidden words are also heard in. With one of these next to it, a word is a mention and no offer. */
export const contexts = {
  addiction:
    /\b(?:addict\w{0,10}|rehab\w{0,12}|sober|sobriety|relapses?|overdos\w{1,4}|substance (?:use|abuse)|use disorders?|quit(?:ting)? (?:smoking|vaping|drinking|gambling)|cessation|prevention|(?:drug|urine) (?:tests?|testing|screens?|screening))\b/i,
  treatment: /\b(?:treatment|recovery|recovering|counsel(?:ing|ling|ors?|lors?)|therap(?:y|ists?)|detox)\b/i,
  work: /\b(?:jobs?|shifts?|hiring|hired?|positions?|staffing|interviews?|recruit\w{0,8}|candidates?|openings|employers?|employees|per hour|an hour)\b|\/ ?h(?:ou)?r\b/i,
  roles:
    /\b(?:cooks?|chefs?|servers?|bartenders?|housekeep(?:ers?|ing)|stewards?|banquets?|guards?|security|technicians?|janitors?)\b/i,
  law: /\b(?:law|lawyers?|attorneys?|legal (?:aid|help|advice|services?|counsel|matters?)|(?<!\b(?:avoid|without) )bankruptc(?:y|ies)|chapter (?:7|11|13)|lawsuits?|court dates?|hearings?)\b/i,
  help: /\b(?:consultations?|help(?:s|ing)? (?:people|clients|families|individuals|those|with)|struggling|get(?:ting)? out of|garnish\w{1,8})\b/i,
  protection:
    /\b(?:scams?|scammers?|fraud|fraudulent|beware|victims?|consumer (?:protection|education)|financial (?:literacy|education))\b/i,
} as const satisfies Readonly<Record<string, RegExp>>;
export type Context = keyof typeof contexts;

/** A sentence of the description with one of these offers what it names. */
export const offering =
  /\b(?:offer(?:s|ed|ing)?|sell(?:s|ing)?|sales?|deals?|discounts?|promo(?:s|tions?|tional|te|tes)?|coupons?|bonus(?:es)?|specials?|advertis(?:e|es|ing|ements?)|arrivals|restocks?|in stock|drops|shop|store|dispensary|products)\b|% off\b/i;

/** "Do not bring firearms", "no weapons, alcohol or gambling", "smoking is prohibited": not offers of it. Removed first. */
export const prohibitions: readonly RegExp[] = [
  /\b(?:do not|don['’]t|never|must not|may not|cannot|can['’]t|please refrain from) (?:bring|carry|have|possess|use|using|drink|drinking|smoke|smoking|vape|vaping|consume|consuming|wear|store|leave)\b[^.!?;\n]{0,80}/gi,
  /\bno (?:[\w-]{1,30}(?:, [\w-]{1,30}){0,4},? (?:and|or) )?[\w-]{1,30}/gi,
  /(?:^|(?<=[.!?;\n]))[^.!?;\n]{0,80}\b(?:is|are) (?:strictly )?(?:prohibited|forbidden|banned|not (?:allowed|permitted))\b/gi,
];

interface Subject {
  name: string;
  twilioCode: number;
  pattern: RegExp;
  /** In which it is only mentioned. */
  contexts: readonly Context[];
  /** Has an honest meaning too, so it never blocks. */
  doubtful?: true;
}

const cannabis = {
  name: 'cannabis, hemp to consume or kratom',
  twilioCode: 30883,
  contexts: ['addiction', 'work', 'law', 'protection'],
} as const;

export const forbiddenSubjects: readonly Subject[] = [
  {
    ...cannabis,
    pattern:
      /\b(?:cannabis|marijuana|cbd|thca?|kratom|delta[- ]?(?:8|9|10)(?![\d:])(?! ?(?:[ap]\.?m\b|flights?\b))|hhc (?:gummies|vapes?|carts?)|hemp[- ](?:flowers?|derived|gumm(?:y|ies)|extracts?|cigarettes|pre-?rolls?|products|oils?)|weed (?:strains?|deliver(?:y|ies)|deals?|dispensar(?:y|ies)|vapes?|edibles|specials?|menus?|gummies)|pre-?rolls|magic mushrooms|psilocybin)\b/i,
  },
  { ...cannabis, pattern: /\b(?:edibles|dispensar(?:y|ies)|hemp|420 (?:deals?|specials?|sale))\b/i, doubtful: true },
  {
    name: 'adult content',
    twilioCode: 30883,
    pattern:
      /\b(?:porn\w{0,20}|adult[- ](?:content|entertainment|dating|videos?|toys?)|escort services?|sex toys?|strip clubs?|hook-?ups?)\b/i,
    contexts: ['addiction', 'treatment', 'law', 'protection'],
  },
  {
    name: 'gambling',
    twilioCode: 30897,
    pattern: /\b(?:casinos?|gambling|gamblers?|sportsbooks?|sports betting|online betting|betting odds)\b/i,
    contexts: ['addiction', 'treatment', 'work', 'roles', 'law', 'protection'],
  },
  {
    name: 'payday loans',
    twilioCode: 30897,
    pattern: /\b(?:pay[- ]?day[- ](?:loans?|lend(?:ers?|ing)|advances?|cash)|(?:car |auto )?title loans?)\b/i,
    contexts: ['law', 'help', 'protection'],
  },
  {
    name: "other lenders' loans",
    twilioCode: 30897,
    pattern: /\bthird[- ]party (?:loans?|lend(?:ers?|ing)|mortgages?|financing)\b/i,
    contexts: ['law', 'protection'],
  },
  {
    name: 'debt relief or collection for others',
    twilioCode: 30897,
    pattern:
      /\b(?:debt[- ](?:relief|settlement|consolidation|reduction|forgiveness|elimination)|third[- ]party (?:debt )?collect(?:ions?|ors?|ing))\b/i,
    contexts: ['law', 'protection'],
  },
  {
    name: 'credit repair',
    twilioCode: 30897,
    pattern: /\b(?:credit[- ](?:repair|restoration)|(?:fix|repair) your credit)\b/i,
    contexts: ['law', 'protection'],
  },
  {
    name: 'promises of quick money',
    twilioCode: 30897,
    pattern:
      /\b(?:get[- ]rich\b|multi-?level marketing|pyramid schemes?|(?:make|earn)(?:ing)? (?:extra |easy |fast |quick |real )?(?:money|cash) (?:fast|online|(?:working )?(?:from|at) home)|(?:make|earn)(?:ing)? (?:up to )?\$[\d,.]{1,12}k?[^.!?]{0,25}\b(?:from|at) home|work[- ](?:from|at)[- ]home (?:opportunit(?:y|ies)|schemes?|programs?|and (?:earn|make)))\b/i,
    contexts: ['law', 'protection'],
  },
];

export const workFromHome = /\bwork(?:ing)?[- ](?:from|at)[- ]home\b/i;

/** For adults: to be declared as age-gated. Tools that are called guns are not. */
export const ageGated =
  /\b(?:alcohol|alcoholic|beers?|wines?|liquors?|whiske?ys?|vodkas?|tequilas?|bourbons?|cocktails?|tobacco|cigars?|cigarettes?|vap(?:e|es|ing)|e-?cig(?:s|arettes?)?|nicotine|hookahs?|firearms?|ammunition|ammo|handguns?|pistols?|rifles?|(?<!\b(?:nail|glue|staple|heat|spray|paint|water|massage|caulk|grease|top)[- ])guns?)\b/i;
export const ageGatedContexts: readonly Context[] = ['addiction', 'treatment', 'work', 'law', 'protection'];
/** What contains such a word and means something else, chiefly conditions of a job. */
export const notAgeGated =
  /\b(?:non-?alcoholic|(?:alcohol|tobacco|vape|nicotine)[- ]free|(?:root|ginger) beers?|(?:rubbing|isopropyl) alcohol|drugs?(?: and | or | ?& ?| ?\/ ?)alcohol|alcohol(?: and | or | ?& ?| ?\/ ?)drugs?|alcohol (?:tests?|testing|screens?|screening|polic(?:y|ies)|rehab\w{0,12}|treatment|abuse|recovery)|no (?:alcohol|tobacco|vaping|firearms|guns))\b/gi;

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
