/** A backup that is not what it should be, told to people; whatever else goes wrong says nothing about it. */
export class BadBackup extends Error {}
