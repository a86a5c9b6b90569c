/** A process that is told to end answers what it was asked, and waits for nobody who asks nothing. */
import type { Socket } from 'node:net';
import type { App } from '../deps.ts';

/**
 * Cuts the connections without a request when the API closes. The server by itself closes those that had one, and waits a
 * minute for those that never had: clients open them ahead, for example when an event stream of theirs has ended.
 */
export function addClosing(app: App): void {
  const waiting = new Set<Socket>();
  app.server.on('connection', (socket) => {
    waiting.add(socket);
    socket.once('close', () => waiting.delete(socket));
  });
  app.server.on('request', ({ socket }, response) => {
    waiting.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) waiting.add(socket);
    });
  });
  app.addHook('preClose', async () => {
    for (const socket of waiting) socket.destroy();
  });
}
