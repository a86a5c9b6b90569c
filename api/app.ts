/** The API, put together: what every request passes through, then the resources. */
import { randomUUID } from 'node:crypto';
import fastify, { LogController } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { audienceRoutes } from './mass-sms/audience.ts';
import { addAuthentication, createAuthenticator } from './shared/auth.ts';
import { consentRoutes } from './contacts/consent.ts';
import { contactRoutes } from './contacts/contacts.ts';
import { contactImportRoutes, longestUploadMs } from './contacts/import.ts';
import { conversationRoutes } from './conversations/conversations.ts';
import { eventRoutes } from './conversations/events.ts';
import { revocationRoutes } from './conversations/revocation.ts';
import type { App, Deps } from './deps.ts';
import { careerSitePageRoutes, careerSiteRoutes } from './directory/career-sites.ts';
import { careerSiteJobRoutes } from './directory/jobs.ts';
import { marketingCampaignRoutes } from './directory/marketing-campaigns.ts';
import { talentNetworkRoutes } from './directory/talent-networks.ts';
import { addIdempotency } from './shared/idempotency.ts';
import { notificationRoutes } from './notifications.ts';
import { availableNumberRoutes } from './numbers/available.ts';
import { numberChangeRoutes } from './numbers/change.ts';
import { numberRoutes } from './numbers/numbers.ts';
import { numberJobRoutes } from './numbers/jobs.ts';
import { poolRoutes } from './numbers/pools.ts';
import { numberReleaseRoutes } from './numbers/release.ts';
import { numberPurchaseRoutes } from './numbers/purchase.ts';
import { auditLogRoutes } from './organization/audit-log.ts';
import { moduleRoutes } from './organization/module.ts';
import { ownAccountRoutes } from './organization/own-account.ts';
import { organizationKeyRoutes } from './organization/keys.ts';
import { organizationRoutes } from './organization/organizations.ts';
import { settingsRoutes } from './organization/settings.ts';
import { userRoutes } from './organization/users.ts';
import { massSmsCommandRoutes } from './mass-sms/commands.ts';
import { massSmsForecastRoutes } from './mass-sms/forecast.ts';
import { massSmsRoutes } from './mass-sms/mass-sms.ts';
import { bulkRoutes } from './messages/bulk.ts';
import { messageCommandRoutes } from './messages/commands.ts';
import { messageRoutes } from './messages/messages.ts';
import { optInRequestRoutes } from './opt-in-requests.ts';
import { addClosing } from './plugins/closing.ts';
import { addErrorHandling, answerClientError, sendProblem } from './plugins/errors.ts';
import { addHealth } from './plugins/health.ts';
import { addInputChecks } from './plugins/input.ts';
import { addRequestLog, loggerOptions } from './plugins/logging.ts';
import { addMetrics } from './plugins/metrics.ts';
import { addOpenApi } from './plugins/openapi.ts';
import { registrationCommandRoutes } from './registration/commands.ts';
import { evidenceRoutes, publicEvidenceRoutes } from './registration/evidence.ts';
import { registrationRoutes } from './registration/registration.ts';
import { templateRoutes } from './templates.ts';
import { usageRoutes } from './usage.ts';
import { webhookDeliveryRoutes } from './webhook-endpoints/deliveries.ts';
import { webhookEndpointRoutes } from './webhook-endpoints/endpoints.ts';
import { twilioEvents } from './webhooks/events.ts';
import { twilioWebhooks } from './webhooks/twilio.ts';
import { twilioVoice } from './webhooks/voice.ts';

/** Builds the API without listening. `close()` does not close what it was given. */
export async function buildApp(deps: Deps): Promise<App> {
  const app = fastify({
    logger: loggerOptions(deps.log),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    routerOptions: { maxParamLength: 300 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
    clientErrorHandler: answerClientError,
    // Without it a sender that stalls would hold its connection for ever.
    requestTimeout: longestUploadMs,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  }) as unknown as App;
  app.setSerializerCompiler(serializerCompiler);
  app.decorate('deps', deps);
  app.decorate('authenticator', createAuthenticator(deps.database));

  addClosing(app);
  addErrorHandling(app);
  addRequestLog(app);
  await addOpenApi(app, deps.publicUrl);
  addMetrics(app);
  addAuthentication(app);
  addInputChecks(app);
  addIdempotency(app);
  addHealth(app);

  const prefix = '/v1';
  await app.register(organizationRoutes, { prefix });
  await app.register(organizationKeyRoutes, { prefix });
  await app.register(settingsRoutes, { prefix });
  await app.register(moduleRoutes, { prefix });
  await app.register(ownAccountRoutes, { prefix });
  await app.register(userRoutes, { prefix });
  await app.register(auditLogRoutes, { prefix });
  await app.register(contactRoutes, { prefix });
  await app.register(contactImportRoutes, { prefix });
  await app.register(consentRoutes, { prefix });
  await app.register(conversationRoutes, { prefix });
  await app.register(revocationRoutes, { prefix });
  await app.register(eventRoutes, { prefix });
  await app.register(notificationRoutes, { prefix });
  await app.register(optInRequestRoutes, { prefix });
  await app.register(messageRoutes, { prefix });
  await app.register(bulkRoutes, { prefix });
  await app.register(messageCommandRoutes, { prefix });
  await app.register(numberRoutes, { prefix });
  await app.register(availableNumberRoutes, { prefix });
  await app.register(numberChangeRoutes, { prefix });
  await app.register(numberPurchaseRoutes, { prefix });
  await app.register(numberJobRoutes, { prefix });
  await app.register(numberReleaseRoutes, { prefix });
  await app.register(poolRoutes, { prefix });
  await app.register(templateRoutes, { prefix });
  await app.register(marketingCampaignRoutes, { prefix });
  await app.register(talentNetworkRoutes, { prefix });
  await app.register(careerSiteRoutes, { prefix });
  await app.register(careerSitePageRoutes, { prefix });
  await app.register(careerSiteJobRoutes, { prefix });
  await app.register(audienceRoutes, { prefix });
  await app.register(massSmsRoutes, { prefix });
  await app.register(massSmsForecastRoutes, { prefix });
  await app.register(massSmsCommandRoutes, { prefix });
  await app.register(registrationRoutes, { prefix });
  await app.register(registrationCommandRoutes, { prefix });
  await app.register(evidenceRoutes, { prefix });
  await app.register(usageRoutes, { prefix });
  await app.register(webhookEndpointRoutes, { prefix });
  await app.register(webhookDeliveryRoutes, { prefix });
  await app.register(publicEvidenceRoutes);
  await app.register(twilioWebhooks);
  await app.register(twilioVoice);
  await app.register(twilioEvents);
  return app;
}
