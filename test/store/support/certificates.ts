import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findOrInstall } from "./programs.ts";

/** Files of a private authority, of a server's certificate for `redis.test` alone, and of a client's. */
export interface Certificates {
  readonly ca: string;
  readonly server: CertificateFiles;
  readonly client: CertificateFiles;
  /** Signed by nobody. */
  readonly other: CertificateFiles;
}

interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Settings of a server that listens with TLS and asks clients for certificates. */
export function tlsSettings({ ca, server }: Certificates, port: number): Readonly<Record<string, string>> {
  return {
    "--tls-port": String(port),
    "--tls-cert-file": server.cert,
    "--tls-key-file": server.key,
    "--tls-ca-cert-file": ca,
  };
}

/** Options of an address for such a server. */
export function tlsOptions({ ca, client }: Certificates): Readonly<Record<string, string>> {
  return { ca, servername: "redis.test", ...client };
}

/** Makes them with the openssl program. */
export function makeCertificates(directory: string): Certificates {
  const program = findOrInstall(["openssl"], "openssl");
  const openssl = (...args: string[]): void => {
    execFileSync(program, args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  };
  const files = (name: string): CertificateFiles => ({
    cert: join(directory, `${name}.pem`),
    key: join(directory, `${name}.key`),
  });
  const makeKey = ({ key }: CertificateFiles): void =>
    openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key);
  const selfSigned = (name: string): CertificateFiles => {
    const made = files(name);
    makeKey(made);
    openssl(
      "req",
      "-x509",
      "-new",
      "-key",
      made.key,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-out",
      made.cert,
    );
    return made;
  };
  const ca = selfSigned("ca");
  const signed = (name: string): CertificateFiles => {
    const made = files(name);
    makeKey(made);
    writeFileSync(join(directory, `${name}.ext`), `subjectAltName=DNS:${name}.test\n`);
    openssl("req", "-new", "-key", made.key, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
    const from = ["-CA", ca.cert, "-CAkey", ca.key, "-CAcreateserial", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, ...from, "-days", "2", "-out", made.cert);
    return made;
  };
  return { ca: ca.cert, server: signed("redis"), client: signed("client"), other: selfSigned("other") };
}
