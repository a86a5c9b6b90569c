/** Says that it is ready, as the worker does, and stops when it is asked to. */
process.on('SIGTERM', () => {
  process.stdout.write('{"level":30,"msg":"worker stopped"}\n');
  process.exit(0);
});
process.stdout.write('{"level":30,"msg":"worker ready"}\n');
setInterval(() => {}, 1_000);
