/** What a description of the opt-in admits: consent that people do not give themselves, freely, or to this company. */
import { sentences } from './text.ts';

const negation = /\b(?:no|not|non|never|nor|neither|none|nothing|without|cannot)\b|n['’]t\b/i;
const clauses = (text: string): string[] =>
  sentences(text).flatMap((sentence) => sentence.split(/:|\bbut\b|\band (?=(?:is|are|comes?|the|it)\b)/i));

/** Boxes that are ticked for people, or lists they find themselves on; "never pre-checked" and the like are not. */
const preChecked =
  /\bpre-? ?(?:checked|ticked|selected)\b|(?<![\w-])(?:checked|ticked|selected) by default\b|\bautomatically (?:opted[- ]in|enrolled|subscribed|signed up)\b|\b(?:opted[- ]in|enrolled|subscribed) (?:automatically|by default)\b/i;
export const admitsPreChecked = (text: string): boolean =>
  clauses(text).some((clause) => preChecked.test(clause) && !negation.test(clause));

/** "Consent is a condition of purchase". With "not" it is what companies should say. */
const condition =
  /\b(?:consent|agree|agreeing|agreement|opt(?:ing)?[- ]in)\b.{0,80}\b(?:is|are|be|as) an? (?:condition|requirement|prerequisite) (?:of|for|to)\b/i;
export const admitsCondition = (text: string): boolean =>
  clauses(text).some((clause) => condition.test(clause) && !negation.test(clause));

/** "By submitting the form you consent", unless a box of its own is spoken of. */
const bundled =
  /\bby (?:(?:submitting|completing|sending|filling (?:in|out)) (?:th(?:e|is|ese)|our|your|an?|my)\b|(?:clicking|pressing|tapping)(?: on)? ["'“‘]?submit\b|signing up for (?:an account|our services)\b|(?:creating|opening) an account\b|placing (?:an|your|the) order\b).{0,80}\b(?:consents?|agrees?|opt(?:s|ing)? in)\b/i;
const ownBox =
  /\b(?:optional|separate|un-?(?:checked|ticked|selected)|empty|own)\b.{0,40}\b(?:check-? ?)?box|\b(?:check-? ?)?box\b.{0,60}\b(?:optional|separate|un-?(?:checked|ticked|selected)|empty|not (?:pre-?)?(?:checked|ticked|required))\b/i;
const box = /\b(?:check-? ?)?box(?:es)?\b/i;
export const bundlesConsent = (text: string): boolean =>
  !ownBox.test(text) && sentences(text).some((sentence) => bundled.test(sentence) && !box.test(sentence));

const sharing = [
  /\b(?:shar(?:e|ed|es|ing)|s(?:old|ell|ells|elling)|passed on|transferred|disclosed)\b.{0,80}\b(?:third[- ]part(?:y|ies)|affiliates?|partners?|other (?:companies|businesses|organizations))\b/i,
  // "sends their information to our network of insurance partners"
  /\b(?:sen(?:d|ds|ding|t)|forward(?:s|ed|ing)?|pass(?:es|ed|ing)?|giv(?:e|es|en|ing)|provid(?:e|es|ed|ing)|distribut(?:e|es|ed|ing))\b.{0,40}\b(?:information|info|data|details|numbers?|leads?|consent)\b.{0,30}\bto (?:[\w-]{1,30},? ){0,5}(?:third[- ]parties|affiliates|partners|buyers|other (?:companies|businesses|organizations))\b/i,
  // "texts from Acme and its marketing partners"
  /\b(?:texts?|messages?|sms|calls?|contacted|texted)\b.{0,80}\b(?:from|by)\b.{0,60}\b(?:and|or|and\/or) (?:(?:its|our|their|the) )?(?:[\w-]{1,30} ){0,2}(?:partners|affiliates|third[- ]parties)\b/i,
  /\b(?:marketing|advertising|lead) partners\b/i,
];
/** Denies something else than sharing, in the sentence that may admit it. */
const noCondition = /\b(?:is|are)(?: not|n['’]t) (?:required|an? (?:condition|requirement))\b/gi;

export const admitsSharing = (text: string): boolean =>
  sentences(text).some(
    (sentence) =>
      sharing.some((pattern) => pattern.test(sentence)) && !negation.test(sentence.replaceAll(noCondition, ' ')),
  );
