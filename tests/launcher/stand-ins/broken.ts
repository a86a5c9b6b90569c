/** Ends before it is ready. */
process.stderr.write('the reason it could not start\n');
process.exit(3);
