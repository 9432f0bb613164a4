import { app } from "APP";

// What Terraform gets: of the cluster when it is created, and of the rolls of two groups. After a change that you want:
// npm test -- --update-snapshot
test.each(["cluster", "consul-server-0", "POOL-0"])("the view %s is as it was", (view) => {
  expect(app.viewOf(view)).toMatchSnapshot();
});
