/**
 * The resources of Twilio that the twin models. A new one is a folder with its operations and one line here; an operation that is in
 * Twilio's documents and not here answers 501.
 */
import { accountOperations } from './accounts/operations.ts';
import { addressOperations } from './addresses/operations.ts';
import { brandOperations } from './brands/operations.ts';
import { campaignOperations } from './campaigns/operations.ts';
import { eventOperations } from './events/operations.ts';
import type { Operations } from './http/operations.ts';
import { messageOperations } from './messages/operations.ts';
import { messagingServiceOperations } from './messaging-services/operations.ts';
import { availableNumberOperations } from './numbers/available.ts';
import { phoneNumberOperations } from './numbers/operations.ts';
import { bundleOperations } from './trusthub/bundles.ts';
import { bundleContentOperations } from './trusthub/contents.ts';
import { itemOperations } from './trusthub/items.ts';
import type { World } from './world.ts';

/** Every operation by its `operationId`. */
export function resources(world: World): Operations {
  return {
    ...accountOperations(world),
    ...messageOperations(world),
    ...availableNumberOperations(world),
    ...phoneNumberOperations(world),
    ...messagingServiceOperations(world),
    ...addressOperations(world),
    ...itemOperations(world),
    ...bundleOperations(world),
    ...bundleContentOperations(world),
    ...brandOperations(world),
    ...campaignOperations(world),
    ...eventOperations(world),
  };
}
