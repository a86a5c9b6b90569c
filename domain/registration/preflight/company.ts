/** Who registers: name, number, pages, address, people. */
import { parsePhone } from '../../phone.ts';
import type { IntakeDraft } from '../intake.ts';
import { emailDomain, isEmail, parsePage, registrableDomain } from './domains.ts';
import { type Finding, finding, type PreflightContext } from './findings.ts';
import { bareName } from './text.ts';
import { isFreeMail } from './words.ts';

const pages = {
  website: { name: 'website', twilioCode: 30891, example: 'https://www.example.com' },
  privacyPolicyUrl: { name: 'privacy policy', twilioCode: 30933, example: 'https://www.example.com/privacy' },
  termsUrl: { name: 'terms', twilioCode: 30934, example: 'https://www.example.com/terms' },
} as const;
type PageField = keyof typeof pages;
const pageFields = Object.keys(pages) as PageField[];

function nameFindings({ legalName }: IntakeDraft, { organization }: PreflightContext): Finding[] {
  if (!legalName?.trim()) return [];
  const found: Finding[] = [];
  const suffix = /[\s,](inc|incorporated|llc|l\.l\.c|corp|ltd|llp|lp|co|pllc)\.?$/i.exec(legalName.trim());
  if (suffix)
    found.push(
      finding(
        'legal_name_suffix',
        'legalName',
        `The legal name ends in "${suffix[0].replace(/^[\s,]+/, '')}"; it is compared letter by letter with the tax record.`,
        'Check the tax record (the letter CP 575 or 147C) and write the ending exactly as it is there: with or without it, with or without comma and dot.',
      ),
    );
  const [legal, usual] = [bareName(legalName), bareName(organization.name)];
  if (usual !== '' && legal !== usual)
    found.push(
      finding(
        'legal_name_differs',
        'legalName',
        `The legal name differs from "${organization.name}", the name used here.`,
        'If both are right, leave them, and say on the website that they are one company; otherwise write the name of the tax record.',
      ),
    );
  return found;
}

function numberFindings({ registrationIdentifier, registrationNumber }: IntakeDraft): Finding[] {
  const number = registrationNumber?.trim();
  if (registrationIdentifier !== 'EIN' || !number) return [];
  const digits = number.replace('-', '');
  if (/^\d{2}-?\d{7}$/.test(number) && new Set(digits).size > 1) return [];
  return [
    finding(
      'registration_number_shape',
      'registrationNumber',
      'This cannot be an EIN, the tax number of a company in the United States.',
      'Write its nine digits as on the tax record, in the form 12-3456789. For another kind of number, choose that kind above.',
    ),
  ];
}

function pageFindings(field: PageField, draft: IntakeDraft, { organization, sites }: PreflightContext): Finding[] {
  const address = draft[field];
  if (!address?.trim()) return [];
  const { name, twilioCode, example } = pages[field];
  const page = parsePage(address);
  if (!page.ok)
    return [
      finding(
        'url_invalid',
        field,
        `The address of the ${name} ${page.problem}.`,
        `Write the full address of the public page, such as ${example}.`,
        twilioCode,
      ),
    ];
  const found: Finding[] = [];
  if (!page.secure)
    found.push(
      finding(
        'url_not_secure',
        field,
        `The address of the ${name} begins with http:, and some reviewers accept secure pages only.`,
        `Write it with https:, such as ${example}, if the page opens so.`,
        twilioCode,
      ),
    );
  const own = registrableDomain(organization.domain.replace(/^https?:\/\//, ''));
  if (field === 'website' && own.includes('.') && registrableDomain(page.host) !== own)
    found.push(
      finding(
        'website_domain_differs',
        field,
        `The website is on ${registrableDomain(page.host)}, but the organization's domain is ${own}.`,
        `Write the address of the website on ${own}, unless the company's own website really is the other one.`,
      ),
    );
  const check = sites?.[field];
  if (check && !check.reachable)
    found.push(
      finding(
        'url_unreachable',
        field,
        `The ${name} could not be opened: ${check.detail || 'no answer'}.`,
        'Open the address in a private browser window, and correct the address or the page until it opens for everybody.',
        twilioCode,
      ),
    );
  else if (check?.reachable && check.status >= 400)
    found.push(
      finding(
        'url_refused',
        field,
        `The ${name} answers with an error (${check.status}) instead of a page.`,
        check.status === 401 || check.status === 403
          ? 'Make the page open for everybody without a login, and let automatic visitors in.'
          : 'Correct the address, or publish the page there.',
        check.status === 401 && field === 'website' ? 30921 : twilioCode,
      ),
    );
  return found;
}

const poBox =
  /\b(?:g\.?)?p\.?\s*o\.?\s*(?:box|drawer)\b|\bpob\.?\s*#?\d|\bpobox\b|\bpost(?:al)?\s+office\s+box\b|\bcase postale\b|\bbo[iî]te postale\b/i;
const privateMailbox = /\bpmb\b|\bprivate mail ?box\b/i;

function addressFindings({ address }: IntakeDraft): Finding[] {
  return (['street', 'street2'] as const).flatMap((line) => {
    const text = address?.[line];
    if (text === undefined) return [];
    const remedy = 'Write street and number of the place on the tax record, where the company can be found.';
    if (poBox.test(text))
      return [finding('po_box', `address.${line}`, 'A post office box is not accepted as an address.', remedy)];
    if (privateMailbox.test(text))
      return [
        finding('private_mailbox', `address.${line}`, 'A rented mailbox is often not accepted as an address.', remedy),
      ];
    return [];
  });
}

/** What is wrong with an address that should be at the company, as far as it can be told. */
function mailbox(email: string, site: string | null): { problem: 'free' | 'domain'; at: string } | null {
  const at = emailDomain(email);
  if (site === null || registrableDomain(at) === site) return null;
  return { problem: isFreeMail(at) ? 'free' : 'domain', at };
}

function emailFindings(draft: IntakeDraft): Finding[] {
  const found: Finding[] = [];
  const page = draft.website === undefined ? null : parsePage(draft.website);
  const site = page?.ok ? registrableDomain(page.host) : null;
  const emails = {
    brandContactEmail: draft.brandContactEmail,
    'representative.email': draft.representative?.email,
    notificationEmail: draft.notificationEmail,
  };
  // Where the identity link of a public company goes: the registry takes no address that proves nothing.
  const contact = draft.brandContactEmail?.trim() ? 'brandContactEmail' : 'representative.email';
  const linkTo = draft.companyType === 'public' ? contact : null;
  for (const [field, text] of Object.entries(emails)) {
    if (!text?.trim()) continue;
    if (!isEmail(text)) {
      found.push(
        finding(
          'email_malformed',
          field,
          'This is not an email address.',
          'Write one address in the form name@example.com, without anything around it.',
        ),
      );
      continue;
    }
    const wrong = mailbox(text, site);
    if (!wrong || field === 'notificationEmail' || (field === 'brandContactEmail' && linkTo !== field)) continue;
    const reason =
      wrong.problem === 'free'
        ? `${wrong.at} is a mail provider for everybody, while the website is on ${site}.`
        : `The email is on ${wrong.at}, while the website is on ${site}.`;
    const code = field === linkTo ? 'brand_email' : 'representative_email';
    found.push(
      finding(`${code}_${wrong.problem}`, field, reason, `Write the person's own address that ends in @${site}.`),
    );
  }
  return found;
}

function phoneFindings({ representative }: IntakeDraft): Finding[] {
  const phone = representative?.phone;
  if (!phone?.trim() || parsePhone(phone).status === 'valid') return [];
  return [
    finding(
      'phone_invalid',
      'representative.phone',
      'This is not a phone number.',
      'Write it with country and area code and nothing else, such as +1 512 555 0100.',
    ),
  ];
}

export const companyFindings = (draft: IntakeDraft, context: PreflightContext): Finding[] => [
  ...nameFindings(draft, context),
  ...numberFindings(draft),
  ...pageFields.flatMap((field) => pageFindings(field, draft, context)),
  ...addressFindings(draft),
  ...emailFindings(draft),
  ...phoneFindings(draft),
];
