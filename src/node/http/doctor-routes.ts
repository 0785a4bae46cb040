import type { FastifyInstance } from "fastify";
import type { Doctor } from "../doctor/doctor.ts";

/** What `kitchensink doctor` asks. */
export function addDoctorRoutes(server: FastifyInstance, { doctor }: { readonly doctor: Doctor }): void {
  server.get("/v1/doctor", async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(await doctor.cluster())),
  );

  server.get("/v1/doctor/node", async (_request, reply) =>
    reply.type("application/json").send(JSON.stringify(await doctor.own())),
  );
}
