/**
 * The stream that `tcpdump -i any -w -` writes: a pcap file header and then records of packets with their "Linux cooked v2"
 * header (DLT_LINUX_SLL2), which names the interface by its index. Facts: pcap-savefile(5), LINKTYPE_LINUX_SLL2.
 */

/** One packet as captured: where, which way, and its bytes from the IP header on. */
export type Captured = {
  readonly at: bigint; // nanoseconds
  readonly ifindex: number;
  /** `other`: a frame for another MAC address, seen because bridge ports listen to all. */
  readonly direction: "in" | "out" | "other";
  readonly bytes: Buffer;
};

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const SLL2_HEADER = 20;
const NANOSECONDS = 0xa1b23c4d;
const MICROSECONDS = 0xa1b2c3d4;
const DLT_LINUX_SLL2 = 276;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
// if_packet.h
const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;

/** A reader that is fed pieces of the stream and hands on whole packets. IP only. */
export function createPcapReader(take: (captured: Captured) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let unit: bigint | undefined;
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    if (unit === undefined) {
      if (rest.length < FILE_HEADER) return;
      unit = unitOf(rest);
      rest = rest.subarray(FILE_HEADER);
    }
    for (;;) {
      if (rest.length < RECORD_HEADER) return;
      const length = rest.readUInt32LE(8);
      if (rest.length < RECORD_HEADER + length) return;
      const at = BigInt(rest.readUInt32LE(0)) * 1_000_000_000n + BigInt(rest.readUInt32LE(4)) * unit;
      const captured = capturedOf(at, rest.subarray(RECORD_HEADER, RECORD_HEADER + length));
      rest = rest.subarray(RECORD_HEADER + length);
      if (captured) take(captured);
    }
  };
}

function unitOf(header: Buffer): bigint {
  const magic = header.readUInt32LE(0);
  const link = header.readUInt32LE(20) & 0xffff;
  if ((magic !== NANOSECONDS && magic !== MICROSECONDS) || link !== DLT_LINUX_SLL2)
    throw new Error(`not a capture as tcpdump -i any -y LINUX_SLL2 writes it: magic ${magic.toString(16)}, link type ${link}`);
  return magic === NANOSECONDS ? 1n : 1000n;
}

function capturedOf(at: bigint, frame: Buffer): Captured | undefined {
  if (frame.length < SLL2_HEADER) return undefined;
  const ethertype = frame.readUInt16BE(0);
  if (ethertype !== ETHERTYPE_IPV4 && ethertype !== ETHERTYPE_IPV6) return undefined;
  const kind = frame.readUInt8(10);
  return {
    at,
    ifindex: frame.readUInt32BE(4),
    direction: kind === PACKET_OUTGOING ? "out" : kind === PACKET_OTHERHOST ? "other" : "in",
    bytes: Buffer.from(frame.subarray(SLL2_HEADER)),
  };
}
