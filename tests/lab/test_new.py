"""`handlens new NAME`: a lab to start from."""

import handlens


class New(handlens.LabTest):
    def test_lab_runs_and_passes_its_own_check(self):
        self.run_handlens("new", "mine")
        self.assertIn("mine.lua", self.run_handlens("run", "./mine.lua").out)
        self.assertIn("passed", self.run_handlens("check", "./mine.lua").out)

    def test_ending_lua_may_be_given(self):
        self.run_handlens("new", "mine.lua")
        self.assertTrue((self.work / "mine.lua").is_file())

    def test_never_replaces_a_file(self):
        (self.work / "mine.lua").write_text("precious")
        self.assert_one_sentence(self.run_handlens("new", "mine", status=2), "mine.lua", "exists")
        self.assertEqual((self.work / "mine.lua").read_text(), "precious")

    def test_names_that_are_none_are_refused(self):
        for name in ("", "../mine", "a/b", "a b", ".lua", "-mine", "x" * 65, "naïve", "a\nb"):
            self.run_handlens("new", "--", name, status=2)
        self.assertEqual(list(self.work.iterdir()), [])


if __name__ == "__main__":
    handlens.main()
