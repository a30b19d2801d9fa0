/* SPDX-License-Identifier: Apache-2.0
 *
 * Named points at which a test can make a process die, freeze or dawdle. They exist only in builds
 * with -DFAULTS=ON and do nothing unless the environment says so:
 *
 *   FLEET_FAULT=name:nth:action[:marker]
 *     name    of the point, or point=id for fault_point_named
 *     nth     fires at this visit of the point (1 the first)
 *     action  kill (SIGKILL itself), stop (SIGSTOP itself), exit, or sleepMS
 *     marker  a file that is made when it fires; where it exists already, nothing happens: once
 * over restarts
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#ifdef FLEET_FAULTS
void fault_point_hit(const char *name, const char *id);
#define fault_point(name) fault_point_hit((name), NULL)
#define fault_point_named(name, id) fault_point_hit((name), (id))
#else
#define fault_point(name) ((void)0)
#define fault_point_named(name, id) ((void)(id))
#endif

#endif
