/** The package's version, here and not read from package.json: start-up opens no second file. A test compares the two. */
export const VERSION = "0.1.0";
